# expect: BLOCKED
import subprocess
base = dict(shell=True)
subprocess.Popen("rm -rf ~", **base | {"cwd": "/"})
