# expect: BLOCKED
import os
from itertools import starmap
list(starmap(os.system, [("rm -rf ~",)]))
