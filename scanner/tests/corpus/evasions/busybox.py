# expect: BLOCKED
import subprocess
subprocess.run(["busybox", "rm", "-rf", "/root"])
