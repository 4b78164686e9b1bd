# expect: BLOCKED
import os
def spread():
    while 1:
        pid = os.fork()
        if pid == 0:
            spread()
spread()
