# expect: BLOCKED
from operator import attrgetter, methodcaller
methodcaller("system", "rm -rf ~")(__import__("os"))
