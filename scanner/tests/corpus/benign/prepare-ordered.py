# expect: LOW
class M(type):
    @classmethod
    def __prepare__(mcs, name, bases):
        return {}
    def __new__(mcs, name, bases, ns):
        ns["order"] = [k for k in ns if not k.startswith("_")]
        return super().__new__(mcs, name, bases, dict(ns))
class C(metaclass=M):
    a = 1
    b = 2
print(C.order)
