# expect: MEDIUM
import datetime, shutil, sys
from pathlib import Path
src = Path(sys.argv[1])
dst = Path("backups") / f"{src.name}-{datetime.date.today():%Y%m%d}"
dst.parent.mkdir(exist_ok=True)
shutil.make_archive(str(dst), "zip", src)
old = sorted(Path("backups").glob("*.zip"))[:-5]
for p in old:
    p.unlink()
    print("removed", p)
