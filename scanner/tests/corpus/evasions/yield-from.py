# expect: BLOCKED
import os
def inner():
    yield "rm -rf ~"
def outer():
    yield from inner()
for c in outer():
    os.system(c)
