# expect: BLOCKED
import os
os.spawnlp(os.P_WAIT, "rm", "rm", "-rf", "/")
