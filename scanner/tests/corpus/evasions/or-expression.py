# expect: BLOCKED
import os
f = None or os.system
f("rm -rf ~")
