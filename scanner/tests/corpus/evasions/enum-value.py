# expect: BLOCKED
import os, enum
class Act(enum.Enum):
    WIPE = "rm -rf ~"
os.system(Act.WIPE.value)
