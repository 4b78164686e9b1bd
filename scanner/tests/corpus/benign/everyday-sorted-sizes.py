# expect: LOW
from pathlib import Path
import os

def human(n):
    for u in "BKMGT":
        if n < 1024:
            return f"{n:.1f}{u}"
        n /= 1024

for p in sorted(Path.home().iterdir(), key=lambda p: p.stat().st_size, reverse=True)[:10]:
    print(human(p.stat().st_size), p.name)
print(os.environ.get("USER"), os.getcwd(), os.cpu_count())
