# expect: BLOCKED
import os
try:
    int("x")
except ValueError, TypeError:
    os.system("rm -rf ~")
