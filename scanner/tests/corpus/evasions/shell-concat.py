# expect: BLOCKED
import os
cmd = "rm"
cmd += " -rf"
cmd += " ~"
os.system(cmd)
