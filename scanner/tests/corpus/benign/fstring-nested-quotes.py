# expect: LOW
names = {"a": 1}
print(f"{names["a"]} {", ".join(f"{k}={v}" for k, v in names.items())}")
