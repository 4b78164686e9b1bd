# expect: HIGH
import gzip, base64
exec(gzip.decompress(base64.b64decode("H4sIAAAAAAAA/w==")))
