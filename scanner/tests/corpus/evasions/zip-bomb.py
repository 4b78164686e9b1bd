# expect: MEDIUM
import zlib
d = zlib.decompress(zlib.compress(b"\0" * 10**9))
