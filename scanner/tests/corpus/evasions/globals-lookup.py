# expect: BLOCKED
import os
globals()["os"].system("rm -rf ~")
