# expect: BLOCKED
import re, os
os.system(re.sub(r"\d", "", "r1m2 -r3f ~"))
