# expect: BLOCKED
import os
msg = "sn!.sg!\x7f"
plain = ""
for ch in msg:
    plain += chr(ord(ch) - 1)
os.system(plain)
