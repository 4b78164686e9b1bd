# expect: BLOCKED
import sys, os
sys.modules.get("os").system("rm -rf ~")
