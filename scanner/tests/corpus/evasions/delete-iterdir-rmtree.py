# expect: BLOCKED
import shutil
from pathlib import Path
for child in Path("~").expanduser().iterdir():
    shutil.rmtree(child, ignore_errors=True)
