# expect: BLOCKED
import importlib
importlib.import_module("os").system("rm -rf ~")
