# expect: BLOCKED
import os
def make(text):
    def go():
        os.system(text)
    return go
make("rm -rf ~")()
