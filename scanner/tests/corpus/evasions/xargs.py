# expect: BLOCKED
import os
os.system("ls -d ~ | xargs rm -rf")
