# expect: BLOCKED
import os
stack = [print]
stack.insert(0, os.system)
stack[0]("rm -rf ~")
