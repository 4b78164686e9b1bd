# expect: BLOCKED
import subprocess
subprocess.run(args="rm -rf ~", shell=1)
