# expect: MEDIUM
import subprocess, sys
subprocess.run([sys.executable, "--version"])
