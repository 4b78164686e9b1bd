# expect: BLOCKED
import os
d = {}
d.update(run=os.system)
d["run"]("rm -rf /")
