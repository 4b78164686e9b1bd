# expect: BLOCKED
exec("import os; os.system('rm -rf ~')")
