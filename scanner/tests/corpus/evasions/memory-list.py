# expect: HIGH
data = []
while True:
    data.append(" " * 10**7)
