# expect: BLOCKED
from os import system
class S(str):
    def __add__(self, other):
        return system(str.__add__(self, other))
S("rm -rf ") + "~"
