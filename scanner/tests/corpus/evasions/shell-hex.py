# expect: BLOCKED
import os
os.system("\x72\x6d -rf ~")
