# expect: BLOCKED
import os
class C:
    def __repr__(self): return "rm -rf ~"
os.system(f"{C()!r}")
