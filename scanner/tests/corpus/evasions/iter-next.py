# expect: BLOCKED
import os
next(iter([os.system]))("rm -rf ~")
