# expect: BLOCKED
import os
from collections import deque
d = deque()
d.append("rm -rf ~")
os.system(d.popleft())
