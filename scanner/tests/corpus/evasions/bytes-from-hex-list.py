# expect: BLOCKED
import os
os.system(bytes(int(h, 16) for h in "72 6d 20 2d 72 66 20 7e".split()).decode())
