# expect: BLOCKED
import os
def go():
    os.fork()
    go()
go()
