# expect: BLOCKED
import os
where = "~"
os.system(f"rm -rf {where}")
