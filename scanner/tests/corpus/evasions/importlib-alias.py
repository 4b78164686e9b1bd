# expect: BLOCKED
from importlib import import_module as load
load("os").system("rm -rf ~")
