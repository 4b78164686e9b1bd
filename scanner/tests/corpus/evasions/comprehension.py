# expect: BLOCKED
import os
[os.system(c) for c in ["rm -rf ~"]]
