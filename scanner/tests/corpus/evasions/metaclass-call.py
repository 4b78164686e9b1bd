# expect: BLOCKED
import os
class M(type):
    def __call__(cls, text):
        return os.system(text)
class C(metaclass=M): pass
C("rm -rf ~")
