# expect: BLOCKED
import os
run = lambda c="rm -rf ~", f=os.system: f(c)
run()
