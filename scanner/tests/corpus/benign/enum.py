# expect: LOW
from enum import Enum
class Action(Enum):
    DELETE = "rm -rf ~"
