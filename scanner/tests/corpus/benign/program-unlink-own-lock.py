# expect: LOW
import os
import atexit

LOCK = "job.lock"
with open(LOCK, "x") as f:
    f.write(str(os.getpid()))
atexit.register(os.unlink, LOCK)
print("working")
