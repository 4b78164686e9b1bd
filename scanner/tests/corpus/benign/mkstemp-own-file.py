# expect: LOW
import os, tempfile
fd, path = tempfile.mkstemp(suffix=".txt")
with os.fdopen(fd, "w") as out:
    out.write("a note")
os.remove(path)
