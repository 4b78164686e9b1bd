# expect: LOW
class Typed:
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, o, t=None): return getattr(o, self.name)
    def __set__(self, o, v):
        if not isinstance(v, int): raise TypeError
        setattr(o, self.name, v)
class A:
    x = Typed()
a = A(); a.x = 3; print(a.x)
