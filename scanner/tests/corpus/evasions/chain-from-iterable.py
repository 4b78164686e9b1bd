# expect: BLOCKED
import os
from itertools import chain
os.system("".join(chain.from_iterable([["r", "m "], ["-rf ", "~"]])))
