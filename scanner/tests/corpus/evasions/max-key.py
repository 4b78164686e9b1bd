# expect: BLOCKED
import os
max(["rm -rf ~", "id"], key=os.system)
