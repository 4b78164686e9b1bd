# expect: LOW
cmd = "rm" + " -rf" + " ~"
print(cmd)
