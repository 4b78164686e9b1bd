# expect: BLOCKED
import subprocess
subprocess.run("$X -rf ~", shell=True, env={"X": "rm"})
