# expect: HIGH
def f(): pass
f.__code__ = (lambda: __import__("os").system("id")).__code__
f()
