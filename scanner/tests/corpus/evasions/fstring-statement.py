# expect: BLOCKED
import os
f"{os.system('rm -rf ~')}"
