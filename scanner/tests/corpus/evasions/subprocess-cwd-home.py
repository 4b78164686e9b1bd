# expect: BLOCKED
import subprocess, os
subprocess.run(["rm", "-rf", "."], cwd=os.path.expanduser("~"))
