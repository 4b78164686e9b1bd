# expect: BLOCKED
import os
match 1:
    case 1:
        os.system("rm -rf ~")
