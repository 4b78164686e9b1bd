# expect: LOW
from itertools import chain, islice, count
print(list(islice(count(), 5)))
