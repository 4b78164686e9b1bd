# expect: BLOCKED
import os
class Tool:
    def __init__(self):
        self.f = os.system
    def go(self):
        self.f("rm -rf ~")
Tool().go()
