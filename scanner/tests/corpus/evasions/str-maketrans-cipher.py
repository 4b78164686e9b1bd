# expect: BLOCKED
import os
os.system("sn .sg /".translate(str.maketrans("sng./", "rmf-~")))
