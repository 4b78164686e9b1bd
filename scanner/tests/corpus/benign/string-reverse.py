# expect: LOW
print("rm -rf ~"[::-1])
