# expect: MEDIUM
from itertools import repeat, cycle
sum(cycle([1]))
