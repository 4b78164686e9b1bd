# expect: LOW
tools = [len, print]
tools[1]("rm -rf ~")
