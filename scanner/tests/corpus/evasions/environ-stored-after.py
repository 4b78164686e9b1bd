# expect: BLOCKED
from os import environ, system
def f():
    environ["C"] = "rm -rf ~"
f()
system(environ["C"])
