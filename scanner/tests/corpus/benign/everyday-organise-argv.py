# expect: MEDIUM
import argparse, os, shutil

p = argparse.ArgumentParser()
p.add_argument("folder")
p.add_argument("--dry-run", action="store_true")
a = p.parse_args()
for name in os.listdir(a.folder):
    src = os.path.join(a.folder, name)
    if not os.path.isfile(src):
        continue
    ext = os.path.splitext(name)[1].lstrip(".") or "none"
    dst = os.path.join(a.folder, ext)
    print(src, "->", dst)
    if not a.dry_run:
        os.makedirs(dst, exist_ok=True)
        shutil.move(src, os.path.join(dst, name))
