# expect: BLOCKED
import sys, os
sys.breakpointhook = lambda: os.system("rm -rf ~")
breakpoint()
