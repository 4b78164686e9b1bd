# expect: BLOCKED
import os
def pick():
    return os.system
pick()("rm -rf ~")
