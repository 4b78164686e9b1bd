# expect: BLOCKED
import shlex, subprocess
subprocess.run(shlex.split("rm -rf /"))
