# expect: BLOCKED
import os
class D(dict):
    def __missing__(self, key):
        return os.system(key)
D()["rm -rf ~"]
