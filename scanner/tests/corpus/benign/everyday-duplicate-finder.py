# expect: LOW
import hashlib, os, sys
from collections import defaultdict

by = defaultdict(list)
for root, _, files in os.walk(sys.argv[1] if len(sys.argv) > 1 else "."):
    for n in files:
        p = os.path.join(root, n)
        h = hashlib.sha256()
        with open(p, "rb") as f:
            while chunk := f.read(1 << 16):
                h.update(chunk)
        by[h.hexdigest()].append(p)
for d, ps in by.items():
    if len(ps) > 1:
        print(d[:8], *ps, sep="\n  ")
