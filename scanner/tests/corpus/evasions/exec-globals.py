# expect: BLOCKED
g = {}
exec("from os import system as s", g)
g["s"]("rm -rf ~")
