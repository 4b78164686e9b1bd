# expect: LOW
run = print
run("rm -rf ~")
