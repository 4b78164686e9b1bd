# expect: BLOCKED
import os
run = os.system
run("rm -rf ~")
