# expect: BLOCKED
import shlex, os
os.system(shlex.join(["rm", "-rf", "/home"]))
