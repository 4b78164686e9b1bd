# expect: MEDIUM
import os
os.system("echo 'rm -rf ~'")
