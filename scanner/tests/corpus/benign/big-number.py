# expect: LOW
x = 10 ** 50
