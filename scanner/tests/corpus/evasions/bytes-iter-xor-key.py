# expect: BLOCKED
import os
k = 7
os.system(bytes([c ^ k for c in b"uj'*ua'y"]).decode())
