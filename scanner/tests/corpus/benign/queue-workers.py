# expect: LOW
import queue, threading
q = queue.Queue()
def work():
    while True:
        item = q.get()
        if item is None:
            break
        print(item)
        q.task_done()
t = threading.Thread(target=work)
t.start()
q.put(1); q.put(None)
t.join()
