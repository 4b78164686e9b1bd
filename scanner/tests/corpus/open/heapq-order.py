# expect: BLOCKED
import os, heapq
h = []
heapq.heappush(h, (1, "rm -rf ~"))
os.system(heapq.heappop(h)[1])
