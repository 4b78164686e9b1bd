# expect: BLOCKED
import subprocess
subprocess.getoutput("rm -rf ~")
