# expect: BLOCKED
import sys, os
sys.modules["safe"] = os
import safe
safe.system("rm -rf ~")
