# expect: LOW
import tempfile
with tempfile.TemporaryDirectory() as d:
    print(d)
