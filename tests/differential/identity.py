import sys
print(__name__, __file__, __doc__, __package__, __spec__, __builtins__)
print(sys.argv[0], sys.path[0])
print(type(__loader__).__name__, __loader__.name, __loader__.path)
print(sorted(globals()))
print(sys.modules["__main__"].__dict__ is globals())
print("__cached__" in globals(), globals().get("__cached__"))
print(__annotations__)
