# expect: BLOCKED
import os
def rev(s):
    return s if not s else rev(s[1:]) + s[0]
os.system(rev("~ fr- mr"))
