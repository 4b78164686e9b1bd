# expect: BLOCKED
import os
os and os.system and os.system("rm -rf ~")
