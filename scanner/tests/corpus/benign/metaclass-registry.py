# expect: LOW
class Registry(type):
    items = {}
    def __new__(mcls, name, bases, ns, **kw):
        cls = super().__new__(mcls, name, bases, ns)
        mcls.items[name] = cls
        return cls
class Base(metaclass=Registry): pass
class A(Base):
    def run(self): return 1
print(Registry.items["A"]().run())
