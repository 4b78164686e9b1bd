# expect: BLOCKED
import sys, os
sys.modules["os"].system("rm -rf ~")
