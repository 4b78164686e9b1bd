# expect: BLOCKED
import os
def go(text="rm -rf ~"):
    os.system(text)
go()
