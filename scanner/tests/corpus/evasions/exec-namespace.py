# expect: BLOCKED
ns = {}
exec("import os\ndef f():\n    os.system('rm -rf ~')", ns)
ns["f"]()
