# expect: LOW
from itertools import accumulate, chain, pairwise
print(list(accumulate(chain([1, 2], [3]))), list(pairwise("abc")))
