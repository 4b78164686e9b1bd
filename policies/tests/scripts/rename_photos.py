"""Rename photos after the day they were taken."""
import argparse
import datetime
from pathlib import Path


def new_name(photo: Path) -> str:
    taken = datetime.datetime.fromtimestamp(photo.stat().st_mtime)
    return f"{taken:%Y-%m-%d_%H%M%S}{photo.suffix.lower()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    options = parser.parse_args()
    for photo in sorted(options.folder.glob("*.[jJ][pP]*[gG]")):
        target = photo.with_name(new_name(photo))
        print(f"{photo.name} -> {target.name}")
        if not options.dry_run:
            photo.rename(target)


if __name__ == "__main__":
    main()
