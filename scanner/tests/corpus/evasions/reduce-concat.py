# expect: BLOCKED
from functools import reduce
import os
os.system(reduce(lambda a, b: a + b, ["r", "m", " -r", "f ", "~"]))
