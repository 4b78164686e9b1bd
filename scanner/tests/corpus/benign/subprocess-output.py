# expect: MEDIUM
import subprocess
print(subprocess.check_output(["uname", "-a"]))
