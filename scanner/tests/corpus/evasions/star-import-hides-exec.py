# expect: BLOCKED
from sh import *
exec("import os; os.system('rm -rf ~')")
