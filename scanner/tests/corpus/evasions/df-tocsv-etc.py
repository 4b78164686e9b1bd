# expect: HIGH
import pandas as pd
pd.DataFrame().to_csv("/etc/cron.d/x")
