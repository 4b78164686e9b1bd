# expect: BLOCKED
import subprocess
match ["rm", "-rf", "/home"]:
    case [prog, *rest]:
        subprocess.call([prog, *rest])
