# expect: BLOCKED
import os
for root, dirs, files in os.walk(os.path.expanduser("~"), topdown=False):
    for name in files:
        os.unlink(os.path.join(root, name))
