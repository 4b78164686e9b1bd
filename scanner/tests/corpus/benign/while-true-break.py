# expect: LOW
while True:
    if input() == "q":
        break
