# expect: BLOCKED
import os
s, i = "", 0
src = "rm -rf ~"
while i < len(src):
    s += src[i]
    i += 1
os.system(s)
