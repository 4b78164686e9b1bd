# expect: LOW
import datetime
import zipfile
from pathlib import Path

def backup(folder: Path) -> Path:
    target = Path(f"backup-{datetime.date.today():%Y%m%d}.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return target

print(backup(Path("notes")))
