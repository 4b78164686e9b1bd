# expect: BLOCKED
import os
home = os.path.expanduser("~")
os.system("rm -rf " + home)
