# expect: BLOCKED
import os
class Checker:
    def __contains__(self, item):
        return os.system(item) == 0
"rm -rf ~" in Checker()
