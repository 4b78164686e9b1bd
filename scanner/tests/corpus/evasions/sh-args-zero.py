# expect: BLOCKED
import subprocess
subprocess.run(["bash", "-c", "$0 -rf $1", "rm", "/"])
