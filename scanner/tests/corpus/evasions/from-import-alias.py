# expect: BLOCKED
from os import system as greet
greet("rm -rf /")
