# expect: BLOCKED
import os
sorted(["rm -rf ~"], key=os.system)
