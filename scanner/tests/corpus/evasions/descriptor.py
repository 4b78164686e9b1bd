# expect: BLOCKED
import os
class D:
    def __get__(self, obj, cls):
        return os.system
class H:
    f = D()
H().f("rm -rf ~")
