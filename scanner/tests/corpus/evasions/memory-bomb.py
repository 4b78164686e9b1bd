# expect: HIGH
x = []
while True:
    x.append("a" * 10**9)
