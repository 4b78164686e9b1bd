"""Summarises a CSV file of sales: totals by region, a histogram, the months that stand out.

Reads the CSV from standard input, if there is any; else it makes a year of data of its own.

    saferunctl run examples/csv_statistics.py
    saferunctl run examples/csv_statistics.py --stdin sales.csv
"""

import csv
import io
import math
import random
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta

REGIONS = {"north": 1.0, "south": 1.3, "east": 0.8, "west": 1.1}


@dataclass(frozen=True)
class Sale:
    day: date
    region: str
    units: int
    price: float

    @property
    def amount(self) -> float:
        return self.units * self.price


def generate(seed: int = 7) -> str:
    """A year of plausible sales: a season, a trend, some noise."""
    rng = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["day", "region", "units", "price"])
    first = date(2025, 1, 1)
    for offset in range(365):
        day = first + timedelta(days=offset)
        season = 1 + 0.4 * math.sin((offset - 80) / 365 * math.tau)
        for region, weight in REGIONS.items():
            units = max(0, round(rng.gauss(20 * season * weight + offset / 60, 4)))
            writer.writerow([day.isoformat(), region, units, f"{rng.uniform(9, 11):.2f}"])
    return out.getvalue()


def parse(text: str) -> tuple[list[Sale], list[str]]:
    sales, problems = [], []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            sales.append(Sale(date.fromisoformat(row["day"]), row["region"], int(row["units"]), float(row["price"])))
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"line {number}: {error}")
    return sales, problems


def by_region(sales: list[Sale]) -> None:
    amounts = defaultdict(list)
    for sale in sales:
        amounts[sale.region].append(sale.amount)
    total = sum(map(sum, amounts.values()))
    print(f"\n{'region':<8}{'total':>12}{'share':>8}{'mean':>10}{'median':>10}{'stdev':>9}")
    for region, values in sorted(amounts.items(), key=lambda item: -sum(item[1])):
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(
            f"{region:<8}{sum(values):>12,.2f}{sum(values) / total:>8.1%}"
            f"{statistics.mean(values):>10.2f}{statistics.median(values):>10.2f}{spread:>9.2f}"
        )


def by_month(sales: list[Sale]) -> None:
    months = defaultdict(float)
    for sale in sales:
        months[sale.day.strftime("%Y-%m")] += sale.amount
    top = max(months.values())
    print("\nmonths")
    for month, amount in sorted(months.items()):
        print(f"  {month} {'#' * round(amount / top * 40):<40} {amount:>11,.2f}")


def outliers(sales: list[Sale], limit: float = 3.0) -> None:
    mean = statistics.mean(sale.units for sale in sales)
    spread = statistics.pstdev(sale.units for sale in sales) or 1.0
    odd = [sale for sale in sales if abs(sale.units - mean) / spread > limit]
    print(f"\n{len(odd)} of {len(sales)} sales are more than {limit:g} standard deviations from the mean")
    for sale in odd[:5]:
        print(f"  {sale.day} {sale.region}: {sale.units} units")


def main() -> int:
    given = "" if sys.stdin is None or sys.stdin.isatty() else sys.stdin.read()
    sales, problems = parse(given.strip() and given or generate())
    for problem in problems[:5]:
        print(problem, file=sys.stderr)
    if not sales:
        print("no sales in the input", file=sys.stderr)
        return 1
    print(f"{len(sales)} sales from {min(s.day for s in sales)} to {max(s.day for s in sales)}")
    by_region(sales)
    by_month(sales)
    outliers(sales)
    return 0


if __name__ == "__main__":
    sys.exit(main())
