"""Count errors by hour in the log."""
import collections
import gzip
import re
import sys

LINE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d).*\bERROR\b")
hours = collections.Counter()
for name in sys.argv[1:]:
    opened = gzip.open(name, "rt") if name.endswith(".gz") else open(name)
    with opened as log:
        for line in log:
            if found := LINE.match(line):
                hours[found[1]] += 1
for hour, count in sorted(hours.items()):
    print(hour, count)
