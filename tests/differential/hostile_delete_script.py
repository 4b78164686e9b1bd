import os
os.unlink(__file__)


def f():
    raise ValueError("source is gone")


f()
