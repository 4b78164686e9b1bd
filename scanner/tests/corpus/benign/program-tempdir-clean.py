# expect: LOW
import shutil
import tempfile
from pathlib import Path

workspace = Path(tempfile.mkdtemp(prefix="build-"))
try:
    (workspace / "out.txt").write_text("done")
finally:
    shutil.rmtree(workspace)
