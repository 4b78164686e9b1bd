# expect: BLOCKED
from functools import cached_property
import os
class A:
    @cached_property
    def x(self):
        return os.system("rm -rf ~")
A().x
