# expect: BLOCKED
import subprocess
opts = {"shell": True}
subprocess.run("rm -rf ~", **opts)
