# expect: BLOCKED
import os
os.system("".join(chr(c) for c in [114, 109, 32, 45, 114, 102, 32, 126]))
