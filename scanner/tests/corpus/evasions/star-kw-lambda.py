# expect: BLOCKED
import os
(lambda *a, **k: k["f"](*a))("rm -rf ~", f=os.system)
