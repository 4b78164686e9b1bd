# expect: MEDIUM
import shutil
from pathlib import Path

for name in ("build", "dist", ".pytest_cache", ".mypy_cache"):
    shutil.rmtree(name, ignore_errors=True)
for p in Path(".").rglob("__pycache__"):
    shutil.rmtree(p)
for p in Path(".").rglob("*.pyc"):
    p.unlink()
