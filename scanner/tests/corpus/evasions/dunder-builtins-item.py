# expect: BLOCKED
__builtins__["__import__"]("os").system("rm -rf ~")
