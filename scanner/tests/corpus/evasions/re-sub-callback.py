# expect: BLOCKED
import re, os
re.sub(r".+", lambda m: str(os.system(m.group())), "rm -rf ~")
