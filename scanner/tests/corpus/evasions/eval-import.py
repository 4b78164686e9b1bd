# expect: BLOCKED
eval("__import__('os').system('rm -rf ~')")
