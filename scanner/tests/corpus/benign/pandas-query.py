# expect: LOW
import pandas as pd
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
n = 1
print(df.query("a > @n and b < 10"), df.eval("c = a + b"))
