# expect: LOW
from pathlib import Path
for p in Path(".").rglob("*.pyc"):
    p.unlink()
for p in Path(".").rglob("__pycache__"):
    p.rmdir()
