# expect: BLOCKED
import os
(os.system if True else print)("rm -rf ~")
