# expect: HIGH
import keyring
print(keyring.get_password("system", "root"))
