# expect: LOW
import os, shutil
os.makedirs("done", exist_ok=True)
for f in os.listdir("results"):
    if f.endswith(".csv"):
        shutil.move(os.path.join("results", f), "done")
