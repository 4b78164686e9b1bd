# expect: BLOCKED
import os
from enum import Enum
class E(Enum):
    A = 1
    @classmethod
    def _missing_(cls, value):
        os.system(value)
E("rm -rf ~")
