# expect: BLOCKED
import os
from abc import ABC
class A(ABC):
    @classmethod
    def __subclasshook__(cls, other):
        os.system("rm -rf ~")
        return True
issubclass(int, A)
