# expect: BLOCKED
import subprocess
p = subprocess.Popen(["sh"], stdin=subprocess.PIPE, text=True)
p.communicate("rm -rf ~\n")
