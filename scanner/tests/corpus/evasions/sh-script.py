# expect: BLOCKED
import os
os.system("script -qc 'rm -rf ~' /dev/null")
