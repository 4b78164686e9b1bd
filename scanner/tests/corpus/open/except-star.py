# expect: BLOCKED
import os
try:
    raise ExceptionGroup("g", [ValueError("rm -rf ~")])
except* ValueError as group:
    os.system(group.exceptions[0].args[0])
