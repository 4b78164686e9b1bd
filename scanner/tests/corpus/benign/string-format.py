# expect: LOW
print("{} {}".format("rm -rf", "~"))
