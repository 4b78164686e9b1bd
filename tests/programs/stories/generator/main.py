"""Writes a class for each entry of a description."""
import json
from pathlib import Path

folder = Path("models")
folder.mkdir(exist_ok=True)
for name, fields in json.loads(Path("models.json").read_text()).items():
    lines = ["from dataclasses import dataclass", "", "", "@dataclass", f"class {name}:"]
    lines += [f"    {field}: {kind}" for field, kind in fields.items()]
    (folder / f"{name.lower()}.py").write_text("\n".join(lines) + "\n")
(folder / "__init__.py").write_text("")
print("generated", len(list(folder.iterdir())), "files")
