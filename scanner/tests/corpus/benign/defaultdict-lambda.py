# expect: LOW
from collections import ChainMap, defaultdict
d = defaultdict(lambda: defaultdict(int))
d["a"]["b"] += 1
print(ChainMap({"x": 1}, {"y": 2})["y"], dict(d))
