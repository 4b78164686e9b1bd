# expect: BLOCKED
import itertools, os
os.system("".join(itertools.compress("rxm -rf ~", [1, 0, 1, 1, 1, 1, 1, 1, 1])))
