# expect: BLOCKED
import os
os.system("r''m -rf ~")
