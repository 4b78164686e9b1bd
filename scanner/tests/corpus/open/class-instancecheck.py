# expect: BLOCKED
import os
class M(type):
    def __instancecheck__(cls, obj):
        return os.system(obj)
class C(metaclass=M): pass
isinstance("rm -rf ~", C)
