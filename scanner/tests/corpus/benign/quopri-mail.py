# expect: LOW
import quopri
print(quopri.decodestring(b"caf=C3=A9").decode())
