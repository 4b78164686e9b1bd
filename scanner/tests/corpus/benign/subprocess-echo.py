# expect: MEDIUM
import subprocess
subprocess.run(["echo", "rm -rf ~"])
