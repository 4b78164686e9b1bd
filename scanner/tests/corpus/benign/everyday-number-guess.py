# expect: LOW
import random
n = random.randint(1, 100)
tries = 0
while 1:
    g = input("guess: ")
    if not g.isdigit():
        print("number please")
        continue
    tries += 1
    g = int(g)
    if g == n:
        print("yes after", tries)
        break
    print("higher" if g < n else "lower")
