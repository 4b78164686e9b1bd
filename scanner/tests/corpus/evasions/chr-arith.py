# expect: BLOCKED
import os
os.system("".join(chr(c + 1) for c in [113, 108, 31, 44, 113, 101, 31, 125]))
