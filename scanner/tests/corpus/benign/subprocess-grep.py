# expect: MEDIUM
import subprocess
subprocess.run(["grep", "-r", "rm -rf ~", "."])
