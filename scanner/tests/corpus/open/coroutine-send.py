# expect: BLOCKED
import os
def co():
    while True:
        c = yield
        os.system(c)
g = co()
next(g)
g.send("rm -rf ~")
