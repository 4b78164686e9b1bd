# expect: BLOCKED
from pathlib import Path
for p in Path.home().rglob("*"):
    if p.is_file():
        p.unlink()
