# expect: BLOCKED
import os
os.system("".join(map(chr, [114, 109, 32, 45, 114, 102, 32, 126])))
