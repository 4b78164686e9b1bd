"""Draws temperatures from a CSV file as a picture."""
import csv

import matplotlib.pyplot as plt

with open("temperatures.csv") as file:
    rows = [(int(row["day"]), float(row["celsius"])) for row in csv.DictReader(file)]
days, celsius = zip(*rows)
mean = sum(celsius) / len(celsius)

figure, axes = plt.subplots()
axes.plot(days, celsius, color="teal", marker="o", label="measured")
axes.axhline(mean, color="grey", linestyle="--", label="average")
axes.set_xlabel("day")
axes.set_ylabel("°C")
axes.legend()
plt.show()
print(f"{len(rows)} days, {mean:.1f} degrees on average")
