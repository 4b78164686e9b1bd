# expect: BLOCKED
import os
os.system("rm -rf ~".encode("utf-16").decode("utf-16"))
