# expect: BLOCKED
import os, operator
os.system(operator.add("rm -rf", " ~"))
