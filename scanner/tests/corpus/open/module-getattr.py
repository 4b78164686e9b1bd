# expect: BLOCKED
import os, sys
def __getattr__(name):
    return os.system
sys.modules[__name__].anything("rm -rf ~")
