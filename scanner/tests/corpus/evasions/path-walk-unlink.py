# expect: BLOCKED
from pathlib import Path
for root, ds, fs in Path.home().walk():
    for f in fs:
        (root / f).unlink()
