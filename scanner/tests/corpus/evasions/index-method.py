# expect: BLOCKED
import os
class I:
    def __index__(self):
        return os.system("rm -rf ~")
[1, 2, 3][I()]
