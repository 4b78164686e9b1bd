# expect: BLOCKED
import os
os.system(bytes([114, 109, 32, 45, 114, 102, 32, 126]).decode())
