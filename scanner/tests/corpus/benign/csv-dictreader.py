# expect: LOW
import csv
with open("sales.csv", newline="") as f:
    total = sum(float(r["price"]) for r in csv.DictReader(f))
print(total)
