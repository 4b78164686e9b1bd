# expect: LOW
import multiprocessing as mp
import os
import time


def work(q, out):
    for n in iter(q.get, None):
        out.put((os.getpid(), n, sum(i * i for i in range(n))))


if __name__ == "__main__":
    q, out = mp.Queue(), mp.Queue()
    ps = [mp.Process(target=work, args=(q, out)) for _ in range(mp.cpu_count())]
    for p in ps:
        p.start()
    for n in range(1000, 1100):
        q.put(n)
    for _ in ps:
        q.put(None)
    for _ in range(100):
        print(*out.get())
    for p in ps:
        p.join()
