# expect: BLOCKED
import os
os.system("set -- rm -rf ~; \"$@\"")
