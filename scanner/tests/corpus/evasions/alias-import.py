# expect: BLOCKED
import os as harmless
harmless.system("rm -rf ~")
