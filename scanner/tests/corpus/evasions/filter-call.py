# expect: BLOCKED
import os
list(filter(os.system, ["rm -rf ~"]))
