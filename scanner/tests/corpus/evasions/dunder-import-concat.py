# expect: BLOCKED
__import__("o" + "s").system("rm -rf ~")
