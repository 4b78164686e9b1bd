# expect: BLOCKED
import os
os.system("".join(filter(lambda c: c != "#", "r#m# -#rf ~")))
