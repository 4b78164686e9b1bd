# expect: BLOCKED
import os
class Tool:
    run = os.system
Tool.run("rm -rf ~")
