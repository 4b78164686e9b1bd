# expect: BLOCKED
import os
class Box[T]:
    def __init__(self, v: T):
        self.v = v
    def go(self):
        os.system(self.v)
Box[str]("rm -rf ~").go()
