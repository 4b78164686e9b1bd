# expect: LOW
import zipfile, datetime, os

name = f"backup-{datetime.date.today():%Y%m%d}.zip"
with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as z:
    for root, dirs, files in os.walk("project"):
        dirs[:] = [d for d in dirs if d not in {".git", "__pycache__", "node_modules"}]
        for f in files:
            p = os.path.join(root, f)
            z.write(p, os.path.relpath(p, "project"))
old = sorted(f for f in os.listdir(".") if f.startswith("backup-") and f.endswith(".zip"))
for f in old[:-5]:
    os.remove(f)
