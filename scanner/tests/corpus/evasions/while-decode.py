# expect: HIGH
import os
s, out, i = "~ fr- mr", "", 7
while i >= 0:
    out += s[i]
    i -= 1
os.system(out)
