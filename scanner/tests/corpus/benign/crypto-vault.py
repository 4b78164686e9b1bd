# expect: LOW
import base64, hashlib, hmac, os, secrets
def derive(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 600_000)
salt = secrets.token_bytes(16)
key = derive("correct horse", salt)
token = base64.urlsafe_b64encode(os.urandom(32)).decode()
print(hmac.compare_digest(key, derive("correct horse", salt)), token)
