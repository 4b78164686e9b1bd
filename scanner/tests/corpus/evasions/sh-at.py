# expect: HIGH
import os
os.system("echo 'rm -rf ~' | at now + 1 minute")
