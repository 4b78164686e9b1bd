# expect: BLOCKED
import os
a = b = c = os.system
c("rm -rf ~")
