# expect: BLOCKED
import sys, os
sys.excepthook = lambda *a: os.system("rm -rf ~")
raise ValueError
