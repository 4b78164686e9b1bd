# expect: BLOCKED
import os
os.system("".join(chr(int(b, 2)) for b in "1110010 1101101 100000 101101 1110010 1100110 100000 1111110".split()))
