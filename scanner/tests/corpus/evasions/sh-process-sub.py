# expect: BLOCKED
import subprocess
subprocess.run(["bash", "-c", "bash <(echo rm -rf ~)"])
