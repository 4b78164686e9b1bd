# expect: BLOCKED
import os
class F:
    def __format__(self, spec):
        os.system(spec)
        return ""
f"{F():rm -rf ~}"
