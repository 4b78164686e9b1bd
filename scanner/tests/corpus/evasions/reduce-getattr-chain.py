# expect: BLOCKED
from functools import reduce
f = reduce(getattr, ["system"], __import__("os"))
f("rm -rf ~")
