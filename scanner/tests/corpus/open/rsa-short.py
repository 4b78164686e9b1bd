# expect: MEDIUM
from cryptography.hazmat.primitives.asymmetric import rsa
rsa.generate_private_key(65537, 512)
