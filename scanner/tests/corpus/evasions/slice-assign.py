# expect: BLOCKED
import os
l = [1, 2, 3]
l[1:2] = [os.system]
l[1]("rm -rf ~")
