# expect: BLOCKED
import os
os.system(bytes.fromhex("726d202d7266207e").decode())
