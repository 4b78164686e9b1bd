# expect: BLOCKED
import os
stack = [os.system]
stack.pop()("rm -rf ~")
