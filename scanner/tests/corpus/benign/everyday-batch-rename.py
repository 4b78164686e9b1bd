# expect: LOW
import re
from pathlib import Path

for i, p in enumerate(sorted(Path("photos").glob("*.jpg")), 1):
    m = re.match(r"IMG_(\d{8})_(\d{6})", p.stem)
    new = p.with_name(f"{m[1]}-{m[2]}.jpg" if m else f"photo-{i:04}.jpg")
    if not new.exists():
        p.rename(new)
