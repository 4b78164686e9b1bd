# expect: BLOCKED
import os
os.system(bytes(memoryview(b"~ fr- mr")[::-1]).decode())
