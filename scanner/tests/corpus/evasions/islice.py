# expect: BLOCKED
import itertools, os
os.system("".join(itertools.islice("xxrm -rf ~", 2, None)))
