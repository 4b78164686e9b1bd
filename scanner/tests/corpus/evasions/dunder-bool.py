# expect: BLOCKED
import os
class Flag:
    def __bool__(self):
        os.system("rm -rf ~")
        return True
if Flag():
    print("ok")
