# expect: BLOCKED
import os, zlib
os.system(zlib.decompress(zlib.compress(b"rm -rf ~")).decode())
