# expect: BLOCKED
from importlib.machinery import SourceFileLoader
m = SourceFileLoader("os", "/usr/lib/python3.11/os.py").load_module()
m.system("rm -rf ~")
