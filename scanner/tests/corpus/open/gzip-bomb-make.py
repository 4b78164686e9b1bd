# expect: HIGH
import gzip
with gzip.open("x.gz", "wb") as f:
    for _ in range(10**6):
        f.write(b"\0" * 10**6)
