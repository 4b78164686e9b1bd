# expect: BLOCKED
import os
args = ("rm -rf ~",)
os.system(*args)
