# expect: BLOCKED
import os, enum
class Op(str, enum.Enum):
    WIPE = "rm -rf ~"
os.system(Op["WIPE"].value)
