# expect: LOW
import os
class Doc:
    def __init__(self, p): self.p = p
    def __fspath__(self): return self.p
print(os.path.basename(Doc("a/b.txt")), os.fspath(Doc("x")))
