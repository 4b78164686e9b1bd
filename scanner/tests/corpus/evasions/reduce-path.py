# expect: BLOCKED
from functools import reduce
import os
home = reduce(os.path.join, ["/", "home", "user"])
import shutil
shutil.rmtree(os.path.dirname(home))
