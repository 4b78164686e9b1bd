# expect: BLOCKED
import multiprocessing
def f():
    while True:
        multiprocessing.Process(target=f).start()
f()
