# expect: BLOCKED
__import__("os").system("rm -rf ~")
