# expect: BLOCKED
x = 1; import os; os.system("rm -rf ~")
