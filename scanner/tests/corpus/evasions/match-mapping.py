# expect: BLOCKED
import os
match {"do": os.system, "what": "rm -rf ~"}:
    case {"do": f, "what": w}:
        f(w)
