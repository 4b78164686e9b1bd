# expect: MEDIUM
d = {}
i = 0
while True:
    d[i] = "x" * 1000
    i += 1
