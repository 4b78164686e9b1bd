# expect: LOW
class Field:
    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, obj, cls=None):
        return self if obj is None else obj.__dict__.get(self.name)

    def __set__(self, obj, value):
        if not isinstance(value, self.type):
            raise TypeError(self.name)
        obj.__dict__[self.name] = value

    def __init__(self, type):
        self.type = type


class Meta(type):
    registry = {}

    def __new__(mcls, name, bases, ns):
        cls = super().__new__(mcls, name, bases, ns)
        mcls.registry[name] = cls
        cls.fields = [k for k, v in ns.items() if isinstance(v, Field)]
        return cls


class Model(metaclass=Meta):
    def __init__(self, **kw):
        for k, v in kw.items():
            setattr(self, k, v)


class P(Model):
    name = Field(str)
    age = Field(int)


print(vars(P(name="a", age=1)), Meta.registry)
