# expect: LOW
import re
from collections import Counter

LINE = re.compile(r'(?P<ip>\S+) \S+ \S+ \[(?P<time>[^]]+)\] "(?P<method>\w+) (?P<path>\S+)')

def top(path, n=10):
    hits = Counter()
    with open(path, encoding="utf-8", errors="replace") as handle:
        for line in handle:
            if match := LINE.match(line):
                hits[match["path"]] += 1
    return hits.most_common(n)

print(top("access.log"))
