# expect: BLOCKED
import os
class Guard:
    def __enter__(self):
        return self
    def __exit__(self, *exc):
        os.system("rm -rf ~")
with Guard():
    print("working")
