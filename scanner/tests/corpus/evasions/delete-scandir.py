# expect: BLOCKED
import os
with os.scandir(os.environ["HOME"]) as it:
    for e in it:
        os.remove(e.path)
