# expect: LOW
class Single(type):
    made = {}
    def __call__(cls, *args, **kw):
        if cls not in cls.made:
            cls.made[cls] = super().__call__(*args, **kw)
        return cls.made[cls]
class Config(metaclass=Single):
    pass
print(Config() is Config())
