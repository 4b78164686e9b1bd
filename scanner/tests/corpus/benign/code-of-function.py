# expect: LOW
def f(a, b): return a + b
print(f.__code__.co_varnames, f.__code__.co_firstlineno)
