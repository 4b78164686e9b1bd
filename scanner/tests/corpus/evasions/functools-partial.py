# expect: BLOCKED
import os
from functools import partial
partial(os.system, "rm -rf ~")()
