# expect: BLOCKED
import os
first, *mid, last = [1, os.system, 2]
mid[0]("rm -rf ~")
