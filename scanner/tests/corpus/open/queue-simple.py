# expect: BLOCKED
import os, queue
q = queue.SimpleQueue()
q.put("rm -rf ~")
os.system(q.get())
