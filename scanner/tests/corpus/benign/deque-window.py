# expect: LOW
from collections import deque
w = deque(maxlen=3)
for x in range(10):
    w.append(x)
    print(sum(w) / len(w))
