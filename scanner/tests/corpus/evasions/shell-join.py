# expect: BLOCKED
import os
os.system(" ".join(["rm", "-rf", "~"]))
