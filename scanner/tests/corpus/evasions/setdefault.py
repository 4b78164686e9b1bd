# expect: BLOCKED
import os
d = {}
d.setdefault("run", os.system)
d["run"]("rm -rf /")
