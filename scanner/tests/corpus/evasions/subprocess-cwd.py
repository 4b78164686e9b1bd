# expect: BLOCKED
import subprocess
subprocess.run("rm -rf *", shell=True, cwd="/")
