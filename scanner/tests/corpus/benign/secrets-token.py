# expect: LOW
import secrets
print(len(secrets.token_hex(8)))
