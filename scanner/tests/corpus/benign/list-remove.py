# expect: LOW
names = ["a", "b"]
names.remove("a")
