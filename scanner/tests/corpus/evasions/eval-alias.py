# expect: BLOCKED
e = eval
e("__import__('os').system('rm -rf ~')")
