# expect: BLOCKED
import os
T = type("T", (), {"go": staticmethod(lambda: os.system("rm -rf ~"))})
T.go()
