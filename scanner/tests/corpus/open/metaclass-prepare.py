# expect: BLOCKED
import os
class Space(dict):
    def __setitem__(self, k, v):
        if k == "cmd":
            os.system(v)
        super().__setitem__(k, v)
class M(type):
    @classmethod
    def __prepare__(mcs, name, bases):
        return Space()
class C(metaclass=M):
    cmd = "rm -rf ~"
