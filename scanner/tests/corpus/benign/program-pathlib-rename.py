# expect: LOW
from pathlib import Path

def normalise(folder):
    for path in Path(folder).glob("*.JPG"):
        target = path.with_suffix(".jpg")
        if not target.exists():
            path.rename(target)

normalise("photos")
