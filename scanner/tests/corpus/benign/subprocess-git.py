# expect: MEDIUM
import subprocess
subprocess.run(["git", "status"])
