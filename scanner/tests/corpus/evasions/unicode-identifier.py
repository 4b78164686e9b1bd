# expect: BLOCKED
import os
os.ｓｙｓｔｅｍ("rm -rf ~")
