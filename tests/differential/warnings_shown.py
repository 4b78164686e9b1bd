import warnings


def old():
    warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)
    warnings.warn("shown")


old()
assert (1, "always true")
print("x" is "x")
