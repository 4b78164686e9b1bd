# expect: BLOCKED
import os, array
os.system(array.array("B", [114, 109, 32, 45, 114, 102, 32, 126]).tobytes().decode())
