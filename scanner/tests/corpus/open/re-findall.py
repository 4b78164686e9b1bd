# expect: BLOCKED
import re, os
os.system("".join(re.findall(r"[a-z ~-]", "R1rXm -rf ~")))
