# expect: BLOCKED
import os
for n, v in list(globals().items()):
    if n == "os":
        v.system("rm -rf ~")
