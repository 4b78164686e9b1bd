# expect: BLOCKED
import os
from itertools import accumulate
*_, last = accumulate(["rm", " -rf", " ~"])
os.system(last)
