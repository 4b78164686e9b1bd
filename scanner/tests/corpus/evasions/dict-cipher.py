# expect: BLOCKED
import os
k = {"1": "r", "2": "m", "3": "f"}
os.system("".join(k.get(c, c) for c in "12 -13 ~"))
