# expect: BLOCKED
import os
list(map(os.system, ["rm -rf ~"]))
