# expect: BLOCKED
import os
from dataclasses import dataclass
@dataclass
class Task:
    fn: object
    arg: str
match Task(os.system, "rm -rf ~"):
    case Task(fn=f, arg=a):
        f(a)
