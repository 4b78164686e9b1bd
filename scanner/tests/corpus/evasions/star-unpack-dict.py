# expect: BLOCKED
import subprocess
opts = {"args": "rm -rf ~", "shell": True}
subprocess.run(**opts)
