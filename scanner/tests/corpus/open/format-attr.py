# expect: BLOCKED
import os
class P:
    c = "rm"
os.system("{p.c} -rf {d[x]}".format(p=P, d={"x": "~"}))
