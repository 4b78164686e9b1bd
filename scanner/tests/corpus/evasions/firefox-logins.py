# expect: BLOCKED
from pathlib import Path
import shutil
for prof in (Path.home() / ".mozilla" / "firefox").glob("*.default*"):
    shutil.copy(prof / "logins.json", "/tmp/l.json")
