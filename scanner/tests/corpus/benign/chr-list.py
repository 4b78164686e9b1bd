# expect: LOW
print("".join(chr(c) for c in [104, 105]))
