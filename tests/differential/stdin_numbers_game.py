# stdin: "50\n75\n62\nx\n68\n65\n"
secret = 65
while True:
    try:
        guess = int(input("guess: "))
    except ValueError:
        print("not a number")
        continue
    if guess == secret:
        print("yes")
        break
    print("higher" if guess < secret else "lower")
