# expect: BLOCKED
import os
["rm -rf ~"].sort(key=os.system)
