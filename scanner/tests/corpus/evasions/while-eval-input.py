# expect: HIGH
while True:
    print(eval(input(">>> ")))
