# expect: LOW
import re, sys, gzip
from collections import Counter
from pathlib import Path

LINE = re.compile(r'^(\S+) \S+ \S+ \[([^\]]+)\] "(\w+) (\S+) [^"]*" (\d{3}) (\d+|-)')


def lines(path):
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", errors="replace") as f:
        yield from f


hits, status = Counter(), Counter()
for p in map(Path, sys.argv[1:]):
    for l in lines(p):
        if m := LINE.match(l):
            hits[m[1]] += 1
            status[m[5]] += 1
print(hits.most_common(10), dict(status))
