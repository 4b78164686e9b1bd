# expect: BLOCKED
import os
class Lazy:
    def __init__(self, command):
        self.command = command
    def __get__(self, obj, owner):
        return os.system(self.command)
class Page:
    view = Lazy("rm -rf ~")
Page().view
