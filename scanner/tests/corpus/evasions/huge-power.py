# expect: HIGH
x = 10 ** 10 ** 10
