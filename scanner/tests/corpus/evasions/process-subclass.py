# expect: BLOCKED
from multiprocessing import Process
import os
class W(Process):
    def __init__(self, c):
        super().__init__()
        self.c = c
    def run(self):
        os.system(self.c)
W("rm -rf ~").start()
