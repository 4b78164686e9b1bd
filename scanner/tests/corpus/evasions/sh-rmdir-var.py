# expect: BLOCKED
import os
os.system("rm -rf \"${HOME:?}/\"")
