# expect: LOW
import inspect
def f(a, b=2, *args, **kw): ...
print(inspect.signature(f), inspect.getsource(f))
