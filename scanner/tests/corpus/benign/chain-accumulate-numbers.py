# expect: LOW
from itertools import accumulate, chain
rows = [[1, 2], [3, 4]]
print(list(accumulate(chain.from_iterable(rows))), list(chain([0], [9])))
