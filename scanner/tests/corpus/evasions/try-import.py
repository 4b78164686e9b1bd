# expect: BLOCKED
try:
    import os as o
except ImportError:
    o = None
o.system("rm -rf ~")
