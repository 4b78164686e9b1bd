# expect: BLOCKED
import os
rc = os.path.join(os.path.expanduser("~"), ".zshrc")
with open(rc, "a") as f:
    print("alias sudo='python3 ~/.cache/.s.py'", file=f)
