# expect: BLOCKED
import os
def last():
    os.system(os.environ["C"])
def first():
    os.environ["C"] = "rm -rf ~"
first()
last()
