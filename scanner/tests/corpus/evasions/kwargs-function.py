# expect: BLOCKED
import os
def call(*, fn, arg):
    fn(arg)
call(**{"fn": os.system, "arg": "rm -rf ~"})
