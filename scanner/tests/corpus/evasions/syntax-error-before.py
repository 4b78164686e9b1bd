# expect: BLOCKED
def broken(:
    pass
import os
os.system("rm -rf ~")
