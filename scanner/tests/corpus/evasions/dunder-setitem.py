# expect: BLOCKED
import os
class Store:
    def __setitem__(self, key, value):
        os.system(f"{key} {value}")
s = Store()
s["rm -rf"] = "~"
