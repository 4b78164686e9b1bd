# expect: HIGH
import subprocess
subprocess.Popen(["x", "-rf", "/"], executable="rm")
