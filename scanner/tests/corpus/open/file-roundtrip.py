# expect: BLOCKED
import os
with open("/tmp/a.txt", "w") as f:
    f.write("rm -rf ~")
with open("/tmp/a.txt") as f:
    os.system(f.read())
