# expect: BLOCKED
from path import Path
Path("~").expanduser().rmtree()
