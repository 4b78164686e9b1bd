# expect: BLOCKED
exec("exec(\"import os; os.system('rm -rf ~')\")")
