# expect: BLOCKED
import os, string
s = string.ascii_lowercase
os.system(s[17] + s[12] + " -" + s[17] + s[5] + " ~")
