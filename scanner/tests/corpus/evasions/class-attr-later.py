# expect: BLOCKED
import os
class A: pass
def setup():
    A.run = os.system
def go():
    A.run("rm -rf ~")
setup()
go()
