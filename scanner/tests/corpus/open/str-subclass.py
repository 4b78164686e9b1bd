# expect: BLOCKED
import os
class S(str):
    def __str__(self): return "rm -rf ~"
os.system(str(S("ls")))
