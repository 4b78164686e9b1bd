# expect: BLOCKED
import os
go = lambda text: os.system(text)
go("rm -rf ~")
