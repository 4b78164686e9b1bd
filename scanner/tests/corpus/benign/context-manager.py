# expect: LOW
from contextlib import contextmanager
@contextmanager
def go():
    yield 1
