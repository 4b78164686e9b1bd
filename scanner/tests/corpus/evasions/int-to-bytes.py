# expect: BLOCKED
import os
os.system((int.from_bytes(b"rm -rf ~", "big")).to_bytes(8, "big").decode())
