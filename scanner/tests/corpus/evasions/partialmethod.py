# expect: BLOCKED
from functools import partialmethod
import os
class A:
    def do(self, c): os.system(c)
    wipe = partialmethod(do, "rm -rf ~")
A().wipe()
