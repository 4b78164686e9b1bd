# expect: LOW
import pandas as pd
print(pd.read_csv("data.csv").describe())
