# expect: BLOCKED
import os
class deco:
    def __init__(self, f):
        self.f = f
    def __call__(self, *a):
        os.system(*a)
@deco
def harmless(x):
    print(x)
harmless("rm -rf ~")
