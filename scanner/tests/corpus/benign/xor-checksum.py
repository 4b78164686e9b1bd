# expect: LOW
data = b"hello"
c = 0
for b in data:
    c ^= b
print(bytes(x ^ 7 for x in data), hex(c))
