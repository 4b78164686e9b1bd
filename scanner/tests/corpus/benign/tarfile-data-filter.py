# expect: LOW
import tarfile
with tarfile.open("data.tar.gz") as t:
    t.extractall("data", filter="data")
