# expect: BLOCKED
import os
os.environ["T"] = "~"
os.environ.setdefault("C", "rm -rf /")
os.system("$C")
