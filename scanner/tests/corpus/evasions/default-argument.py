# expect: BLOCKED
import os
def go(f=os.system):
    f("rm -rf ~")
go()
