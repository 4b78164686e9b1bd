# expect: BLOCKED
import os
if (f := os.system):
    f("rm -rf ~")
