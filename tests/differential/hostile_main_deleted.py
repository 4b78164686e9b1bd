import sys
del sys.modules["__main__"]
print(__name__)
raise ValueError("no main module")
