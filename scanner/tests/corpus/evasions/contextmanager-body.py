# expect: BLOCKED
from contextlib import contextmanager
import os
@contextmanager
def session(command):
    yield
    os.system(command)
with session("rm -rf ~"):
    pass
