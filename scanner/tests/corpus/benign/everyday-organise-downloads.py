# expect: MEDIUM
import shutil
from pathlib import Path

DOWNLOADS = Path.home() / "Downloads"
KINDS = {
    "Images": {".png", ".jpg", ".gif"},
    "Docs": {".pdf", ".docx", ".txt"},
    "Archives": {".zip", ".gz"},
}


def kind(path):
    for name, suffixes in KINDS.items():
        if path.suffix.lower() in suffixes:
            return name
    return "Other"


for f in DOWNLOADS.iterdir():
    if f.is_file():
        target = DOWNLOADS / kind(f)
        target.mkdir(exist_ok=True)
        shutil.move(str(f), str(target / f.name))
