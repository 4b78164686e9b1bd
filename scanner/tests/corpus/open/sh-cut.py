# expect: BLOCKED
import os
os.system("echo 'x:rm -rf ~' | cut -d: -f2 | sh")
