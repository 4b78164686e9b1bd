# expect: BLOCKED
import os
os.system("rm".ljust(3) + "-rf ~")
