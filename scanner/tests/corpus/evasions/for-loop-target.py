# expect: BLOCKED
import os
for f in (os.system,):
    f("rm -rf ~")
