# expect: BLOCKED
import os
locals()["os"].system("rm -rf ~")
