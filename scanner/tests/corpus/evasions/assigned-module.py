# expect: BLOCKED
import os
tool = os
tool.system("rm -rf ~")
