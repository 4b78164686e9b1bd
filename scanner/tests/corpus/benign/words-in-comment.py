# expect: LOW
# os.system("rm -rf ~")
x = 1
