# expect: BLOCKED
import os
from functools import reduce
os.system(reduce(lambda a, b: a + b, ["r", "m", " -r", "f ~"]))
