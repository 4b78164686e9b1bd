# expect: BLOCKED
import os
def inner(x):
    os.system(x)
def outer(x):
    inner(x)
outer("rm -rf ~")
