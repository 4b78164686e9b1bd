# expect: LOW
import zlib
print(zlib.decompress(zlib.compress(b"hello")))
