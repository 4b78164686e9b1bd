# expect: BLOCKED
import os
class Tool:
    def go(self, text):
        os.system(text)
Tool().go("rm -rf ~")
