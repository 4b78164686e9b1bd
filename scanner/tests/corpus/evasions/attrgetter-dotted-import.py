# expect: BLOCKED
from operator import attrgetter as g
g("system")(__import__("os"))("rm -rf ~")
