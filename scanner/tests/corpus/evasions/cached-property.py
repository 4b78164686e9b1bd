# expect: BLOCKED
import os
from functools import cached_property
class C:
    @cached_property
    def x(self):
        return os.system("rm -rf ~")
C().x
