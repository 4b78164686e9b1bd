# expect: BLOCKED
import os
a, b = "rm", "rf"
os.system(f"{f'{a}'} -{b!s} {'~':s}")
