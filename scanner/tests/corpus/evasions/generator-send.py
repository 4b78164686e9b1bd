# expect: HIGH
import os
def worker():
    while True:
        cmd = yield
        os.system(cmd)
w = worker()
next(w)
w.send("rm -rf ~")
