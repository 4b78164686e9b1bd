# expect: LOW
import pandas as pd
import matplotlib.pyplot as plt

df = pd.read_csv("sales.csv", parse_dates=["date"])
df["month"] = df["date"].dt.to_period("M")
summary = df.groupby("month")["amount"].agg(["sum", "mean", "count"])
print(summary.eval("ratio = sum / count"))
df.query("amount > 100").to_excel("big.xlsx", index=False)
fig, ax = plt.subplots(figsize=(8, 4))
summary["sum"].plot(ax=ax)
fig.savefig("report.png")
