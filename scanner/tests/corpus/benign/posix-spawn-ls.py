# expect: MEDIUM
import os
pid = os.posix_spawn("/bin/ls", ["ls", "-l"], os.environ)
os.waitpid(pid, 0)
