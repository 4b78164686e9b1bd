# expect: HIGH
import subprocess
subprocess.run(["find", "/home", "-exec", "rm", "{}", "+"])
