# expect: BLOCKED
import os
class C:
    def __init__(self, a): self.a = a
    def __str__(self): return f"rm -rf {self.a}"
os.system(str(C("~")))
