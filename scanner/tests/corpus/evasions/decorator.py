# expect: BLOCKED
import os
@os.system
def text():
    pass
os.system("rm -rf ~")
