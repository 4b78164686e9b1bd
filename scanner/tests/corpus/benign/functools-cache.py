# expect: LOW
from functools import lru_cache, partial, reduce
import operator
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
product = partial(reduce, operator.mul)
print(fib(90), product(range(1, 20)))
