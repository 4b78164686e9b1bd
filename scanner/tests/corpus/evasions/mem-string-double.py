# expect: MEDIUM
s = "a"
while True:
    s += s
