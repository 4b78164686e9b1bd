# expect: BLOCKED
import os
type Job = os.system("rm -rf ~")
Job.__value__
