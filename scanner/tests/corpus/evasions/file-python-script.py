# expect: BLOCKED
import subprocess, sys
with open("x.py", "w") as f:
    f.write("import shutil\nshutil.rmtree('/home')\n")
subprocess.run([sys.executable, "x.py"])
