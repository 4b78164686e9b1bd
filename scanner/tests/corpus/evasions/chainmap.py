# expect: BLOCKED
import os
from collections import ChainMap
ChainMap({"f": os.system})["f"]("rm -rf ~")
