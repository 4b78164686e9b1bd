# expect: LOW
sh = {"rm": 1}
run = sh.get
print(run("rm"), run("-rf"))
