# expect: LOW
print((lambda f: f("rm -rf ~"))(len))
