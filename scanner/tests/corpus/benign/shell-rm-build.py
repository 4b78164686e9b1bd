# expect: MEDIUM
import os
os.system("rm -rf ./build")
