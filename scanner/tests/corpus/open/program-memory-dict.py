# expect: HIGH
data = {}
i = 0
while True:
    data[i] = "x" * 10**7
    i += 1
