# expect: LOW
import tomllib
from pathlib import Path
config = tomllib.loads(Path("pyproject.toml").read_text())
print(config["project"]["name"])
