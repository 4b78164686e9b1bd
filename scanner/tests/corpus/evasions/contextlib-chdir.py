# expect: BLOCKED
import contextlib, shutil, os
with contextlib.chdir("/"):
    shutil.rmtree("home")
