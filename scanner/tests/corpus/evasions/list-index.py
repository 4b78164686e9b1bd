# expect: BLOCKED
import os
tools = [len, os.system]
tools[1]("rm -rf ~")
