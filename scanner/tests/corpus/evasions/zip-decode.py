# expect: BLOCKED
import os
a = "r r "
b = "m-f~"
key = [1, 2, 3]
out = "".join(chr(x ^ 7) for x in [117, 106, 39, 42, 117, 97, 39, 121])
os.system(out)
