# expect: BLOCKED
from functools import singledispatch
import os
@singledispatch
def run(x): pass
@run.register
def _(x: str):
    os.system("rm -rf ~")
run("x")
