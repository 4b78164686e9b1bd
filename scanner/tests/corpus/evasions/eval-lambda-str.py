# expect: BLOCKED
eval("lambda: __import__('os').system('rm -rf ~')")()
