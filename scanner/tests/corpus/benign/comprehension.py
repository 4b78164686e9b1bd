# expect: LOW
print([c.upper() for c in ["rm -rf ~"]])
