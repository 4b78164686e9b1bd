# expect: BLOCKED
import importlib
importlib.reload(importlib.import_module("os")).system("rm -rf ~")
