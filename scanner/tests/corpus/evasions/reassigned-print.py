# expect: BLOCKED
import os
print = os.system
print("rm -rf ~")
