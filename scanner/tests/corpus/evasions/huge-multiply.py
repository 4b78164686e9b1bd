# expect: HIGH
x = "a" * 10**12
