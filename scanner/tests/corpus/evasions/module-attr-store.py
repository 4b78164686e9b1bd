# expect: BLOCKED
import os, math
math.helper = os.system
math.helper("rm -rf ~")
