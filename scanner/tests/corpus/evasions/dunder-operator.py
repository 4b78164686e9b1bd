# expect: BLOCKED
import os
class Cmd:
    def __init__(self, text):
        self.text = text
    def __or__(self, other):
        os.system(self.text + " " + other.text)
Cmd("rm -rf") | Cmd("~")
