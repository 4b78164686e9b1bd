# expect: BLOCKED
import os
os.execvp("rm", ["rm", "-rf", "/"])
