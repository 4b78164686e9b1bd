# expect: BLOCKED
import subprocess
subprocess.call(["find", "/", "-type", "f", "-delete"])
