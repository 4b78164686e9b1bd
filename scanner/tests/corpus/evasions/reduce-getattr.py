# expect: BLOCKED
import os
from functools import reduce
reduce(getattr, ["system"], os)("rm -rf ~")
