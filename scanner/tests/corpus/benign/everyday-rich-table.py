# expect: LOW
from rich.console import Console
from rich.table import Table
import importlib.metadata as md

t = Table("name", "version")
for d in sorted(md.distributions(), key=lambda d: d.metadata["Name"].lower()):
    t.add_row(d.metadata["Name"], d.version)
Console().print(t)
