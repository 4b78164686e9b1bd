# expect: BLOCKED
import subprocess, pathlib
subprocess.run([pathlib.Path("/bin/rm"), "-rf", pathlib.Path.home()])
