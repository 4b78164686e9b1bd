# expect: BLOCKED
import os
def f(): pass
f.__globals__["os"].system("rm -rf ~")
