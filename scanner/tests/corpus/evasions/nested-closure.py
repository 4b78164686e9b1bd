# expect: BLOCKED
import os
def a():
    f = os.system
    def b():
        def c(x):
            return f(x)
        return c
    return b
a()()("rm -rf ~")
