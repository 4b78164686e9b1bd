# expect: BLOCKED
import subprocess, shutil
subprocess.run([shutil.which("rm"), "-rf", "/"])
