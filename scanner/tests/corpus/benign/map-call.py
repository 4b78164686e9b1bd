# expect: LOW
print(list(map(str.upper, ["rm -rf ~"])))
