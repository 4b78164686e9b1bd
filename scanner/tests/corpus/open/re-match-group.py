# expect: BLOCKED
import re, os
os.system(re.match(r"x(.*)y", "xrm -rf ~y").group(1))
