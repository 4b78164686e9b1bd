# expect: BLOCKED
import os
try:
    raise ValueError("rm -rf ~")
except ValueError as e:
    os.system(str(e))
