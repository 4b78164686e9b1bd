# expect: BLOCKED
import os
os.system(b"rm -rf ~")
