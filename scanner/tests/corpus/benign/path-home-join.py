# expect: LOW
from pathlib import Path
print(Path.home() / "projects")
