# expect: BLOCKED
import subprocess
subprocess.run(["env", "-i", "sh", "-c", "rm -rf $HOME"])
