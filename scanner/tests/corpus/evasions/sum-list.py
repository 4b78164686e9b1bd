# expect: BLOCKED
import os
sum([[os.system]], [])[0]("rm -rf ~")
