# expect: LOW
import csv
with open("o.csv", "w", newline="") as f:
    csv.writer(f).writerow([1, 2])
