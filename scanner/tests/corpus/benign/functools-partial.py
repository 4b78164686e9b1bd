# expect: LOW
from functools import partial
add = partial(sum, start=3)
print(add([1]))
