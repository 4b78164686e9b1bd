# expect: BLOCKED
class M(type):
    def __getattr__(cls, n):
        return __import__(n)
class X(metaclass=M): pass
X.os.system("rm -rf ~")
