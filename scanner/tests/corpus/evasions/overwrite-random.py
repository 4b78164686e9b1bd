# expect: BLOCKED
import os
with open("/dev/sda", "wb") as d:
    d.write(os.urandom(1 << 20))
