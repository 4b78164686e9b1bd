# expect: BLOCKED
import os
def g():
    for c in ("rm", "-rf", "~"):
        yield c
os.system(" ".join(g()))
