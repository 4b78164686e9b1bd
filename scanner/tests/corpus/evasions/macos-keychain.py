# expect: HIGH
import subprocess
print(subprocess.check_output(["security", "find-generic-password", "-wa", "Chrome"]))
