# expect: BLOCKED
import os
any(os.system(c) for c in ("rm -rf ~",))
