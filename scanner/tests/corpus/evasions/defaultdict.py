# expect: BLOCKED
import os
from collections import defaultdict
d = defaultdict(lambda: os.system)
d["x"]("rm -rf ~")
