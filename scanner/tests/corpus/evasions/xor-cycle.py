# expect: BLOCKED
import os
from itertools import cycle
enc = [25, 8, 75, 72, 25, 3, 75, 27]
os.system("".join(chr(c ^ ord(k)) for c, k in zip(enc, cycle("ke"))))
