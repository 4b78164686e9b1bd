# expect: LOW
from cryptography.fernet import Fernet
key = Fernet.generate_key()
f = Fernet(key)
with open("secret.bin", "wb") as out:
    out.write(f.encrypt(b"hello"))
