# expect: BLOCKED
exec(compile("import os\nos.system('rm -rf ~')", "x", "exec"))
