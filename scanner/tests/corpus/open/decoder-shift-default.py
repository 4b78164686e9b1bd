# expect: BLOCKED
import os
def rot(s, n=13):
    return "".join(chr((ord(c) - 97 + n) % 26 + 97) if c.isalpha() else c for c in s)
os.system(rot("ez -es") + " ~")
