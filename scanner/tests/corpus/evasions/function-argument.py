# expect: BLOCKED
import os
def call(f, x):
    return f(x)
call(os.system, "rm -rf ~")
