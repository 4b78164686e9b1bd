# expect: LOW
total = 0
for x in range(100):
    for y in range(20):
        for z in range(40):
            total += x * y * z
print(total)
