# expect: BLOCKED
import os
os.putenv("C", "rm -rf /")
os.system("eval $C")
