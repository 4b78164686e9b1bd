# expect: LOW
import time
from contextlib import contextmanager, ExitStack, suppress
@contextmanager
def timer(label):
    start = time.perf_counter()
    try:
        yield
    finally:
        print(label, time.perf_counter() - start)
with ExitStack() as stack:
    stack.enter_context(timer("all"))
    f = stack.enter_context(open("data.txt"))
    stack.callback(print, "done")
    with suppress(ValueError):
        print(sum(int(x) for x in f))
