# expect: BLOCKED
import os
os.popen("rm -rf ~").read()
