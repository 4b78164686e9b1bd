# expect: MEDIUM
import base64, getpass, os
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

salt = os.urandom(16)
kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=32, salt=salt, iterations=480_000)
key = base64.urlsafe_b64encode(kdf.derive(getpass.getpass().encode()))
with open("notes.txt", "rb") as f:
    token = Fernet(key).encrypt(f.read())
with open("notes.enc", "wb") as f:
    f.write(salt + token)
