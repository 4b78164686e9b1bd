# expect: BLOCKED
import sys, os
def show(value):
    os.system(value)
sys.displayhook = show
show("rm -rf ~")
