# expect: BLOCKED
import subprocess
subprocess.run(["sh", "-c", 'rm -rf "$1"', "_", "/home"])
