import os, sys
print("before", flush=True)
os.execv(sys.executable, ["python3", "-c", "import sys; print('replaced', sys.argv); sys.exit(8)"])
