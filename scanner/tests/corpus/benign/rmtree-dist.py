# expect: MEDIUM
import shutil
from pathlib import Path
ROOT = Path(__file__).parent
for name in ("build", "dist", ".pytest_cache"):
    shutil.rmtree(ROOT / name, ignore_errors=True)
