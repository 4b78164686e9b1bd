# expect: HIGH
import os
class Go(Exception):
    def __init__(self, cmd):
        self.cmd = cmd
try:
    raise Go("rm -rf ~")
except Go as g:
    os.system(g.cmd)
