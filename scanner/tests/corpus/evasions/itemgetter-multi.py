# expect: BLOCKED
import os
from operator import itemgetter
f, a = itemgetter(1, 0)(["rm -rf ~", os.system])
f(a)
