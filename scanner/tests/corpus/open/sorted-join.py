# expect: BLOCKED
import os
os.system("".join(c for _, c in sorted([(2, "m"), (1, "r"), (3, " -rf ~")])))
