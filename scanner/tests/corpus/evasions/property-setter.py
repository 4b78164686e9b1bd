# expect: BLOCKED
import os
class C:
    @property
    def x(self): return 1
    @x.setter
    def x(self, v): os.system(v)
C().x = "rm -rf ~"
