# expect: HIGH
import os, subprocess
os.environ["LD_PRELOAD"] = "/tmp/x.so"
subprocess.run(["ls"])
