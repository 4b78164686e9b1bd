# expect: LOW
class Box:
    pass
box = Box()
box.__dict__["system"] = 1
