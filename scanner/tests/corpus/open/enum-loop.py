# expect: BLOCKED
import os, enum
class Op(enum.Enum):
    WIPE = "rm -rf ~"
for o in Op:
    os.system(o.value)
