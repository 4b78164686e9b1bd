# expect: LOW
class Box:
    x = 1
print(vars(Box)["x"])
