# expect: LOW
from collections import Counter, deque
print(Counter("abc"), deque([1]))
