# expect: BLOCKED
import os
b = bytearray()
for n in (114, 109, 32, 45, 114, 102, 32, 126):
    b.append(n)
os.system(bytes(b).decode())
