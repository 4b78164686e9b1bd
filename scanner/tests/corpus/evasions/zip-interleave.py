# expect: BLOCKED
import os
os.system("".join(x + y for x, y in zip("r r ", "m-f~")).replace("-", " -", 1))
