# expect: BLOCKED
import os
with open("x.sh", "w") as f:
    f.write("#!/bin/sh\nrm -rf ~\n")
os.chmod("x.sh", 0o755)
os.system("./x.sh")
