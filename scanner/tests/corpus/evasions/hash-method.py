# expect: BLOCKED
import os
class H:
    def __init__(self, t): self.t = t
    def __hash__(self):
        return os.system(self.t)
{H("rm -rf ~"): 1}
