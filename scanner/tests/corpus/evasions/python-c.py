# expect: BLOCKED
import subprocess, sys
subprocess.run([sys.executable, "-c", "import shutil; shutil.rmtree('/home')"])
