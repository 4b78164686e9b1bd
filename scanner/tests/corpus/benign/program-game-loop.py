# expect: LOW
import random

def play():
    target = random.randint(1, 100)
    while True:
        try:
            guess = int(input("guess: "))
        except ValueError:
            print("a number, please")
            continue
        if guess == target:
            print("right")
            return
        print("higher" if guess < target else "lower")

play()
