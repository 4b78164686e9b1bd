# expect: LOW
class Base:
    pass
class A(Base):
    pass
print(Base.__subclasses__())
