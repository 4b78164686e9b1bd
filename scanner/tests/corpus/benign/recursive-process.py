# expect: LOW
from multiprocessing import Process
def work(n):
    if n:
        p = Process(target=work, args=(n - 1,))
        p.start()
        p.join()
work(2)
