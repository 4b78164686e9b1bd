"""Renames a function in a project."""
import re
from pathlib import Path

count = 0
for path in sorted(Path("shop").rglob("*.py")):
    text = path.read_text()
    changed = re.sub(r"\bget_price\b", "price_of", text)
    if changed != text:
        path.write_text(changed)
        count += 1
print(f"renamed in {count} files")
