# expect: BLOCKED
import os
match [os.system, "rm -rf ~"]:
    case [f, a]:
        f(a)
