# expect: LOW
import csv
from collections import defaultdict
from pathlib import Path

def summarise(path: Path) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    with path.open(newline="") as handle:
        for row in csv.DictReader(handle):
            totals[row["category"]] += float(row["amount"])
    return dict(totals)

if __name__ == "__main__":
    for name, total in sorted(summarise(Path("sales.csv")).items()):
        print(f"{name:<20}{total:>12.2f}")
