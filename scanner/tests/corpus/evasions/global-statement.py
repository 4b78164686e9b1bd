# expect: BLOCKED
import os
f = None
def set():
    global f
    f = os.system
set()
f("rm -rf ~")
