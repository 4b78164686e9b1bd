# expect: BLOCKED
import os
with open(os.sep.join([os.environ.get("HOME", "/root"), ".zshrc"]), "a") as f:
    print("evil", file=f)
