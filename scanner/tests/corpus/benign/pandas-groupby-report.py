# expect: LOW
import pandas as pd
import matplotlib.pyplot as plt
df = pd.read_csv("sales.csv", parse_dates=["date"])
df = df.query("amount > 0").eval("total = amount * price")
monthly = df.groupby(df["date"].dt.to_period("M"))["total"].sum()
fig, ax = plt.subplots(figsize=(8, 4))
monthly.plot(kind="bar", ax=ax)
fig.savefig("report.png")
monthly.to_csv("monthly.csv")
print(monthly.describe())
