# expect: BLOCKED
import os
class P:
    def __fspath__(self):
        os.system("rm -rf ~")
        return "x"
open(P())
