# expect: BLOCKED
from pathlib import Path
Path("/tmp/x").rename(Path.home() / ".bashrc")
