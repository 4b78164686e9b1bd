# expect: BLOCKED
import os
for c in ["true"] * 80 + ["rm -rf ~"]:
    try:
        os.system(c)
    except Exception:
        pass
