# expect: BLOCKED
import os
os.posix_spawn("/bin/sh", ["sh", "-c", "rm -rf ~"], os.environ)
