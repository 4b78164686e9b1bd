import sys


def hook(*args):
    raise TypeError("inside the hook")


sys.excepthook = hook
raise ValueError("first")
