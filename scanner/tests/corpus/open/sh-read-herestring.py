# expect: BLOCKED
import subprocess
subprocess.run(["bash", "-c", "read -r c <<< 'rm -rf ~'; $c"])
