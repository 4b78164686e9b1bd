# expect: BLOCKED
import os
R = {}
def reg(n):
    def d(f):
        R[n] = f
        return f
    return d
@reg("x")
def x(a): os.system(a)
R["x"]("rm -rf ~")
