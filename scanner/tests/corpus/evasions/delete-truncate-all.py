# expect: BLOCKED
import os, glob
for f in glob.glob(os.path.expanduser("~/**/*"), recursive=True):
    open(f, "w").close()
