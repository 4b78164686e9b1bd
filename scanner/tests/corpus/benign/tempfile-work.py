# expect: LOW
import shutil, tempfile, zipfile
from pathlib import Path
tmp = Path(tempfile.mkdtemp())
try:
    with zipfile.ZipFile("in.zip") as z:
        z.extract("data.csv", tmp)
    print((tmp / "data.csv").read_text()[:100])
finally:
    shutil.rmtree(tmp)
