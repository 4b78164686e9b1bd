# expect: BLOCKED
import os
class L:
    def __length_hint__(self):
        os.system("rm -rf ~")
        return 1
    def __iter__(self):
        return iter(())
list(L())
