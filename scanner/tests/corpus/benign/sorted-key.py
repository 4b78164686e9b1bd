# expect: LOW
import os
files = sorted(os.listdir("."), key=os.path.getmtime)
print(max(files, key=len), min(files, key=str.lower))
