# expect: HIGH
import os
for f in os.listdir(os.path.expanduser("~")):
    os.rename(os.path.expanduser("~/" + f), "/tmp/" + f)
