# expect: BLOCKED
__import__("os.path").system("rm -rf ~")
