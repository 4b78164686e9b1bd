# expect: BLOCKED
import os
key = b"k"
data = bytes([25, 6, 75, 70, 25, 13, 75, 21])
os.system(bytes(map(lambda b: b ^ key[0], data)))
