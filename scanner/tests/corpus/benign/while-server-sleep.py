# expect: LOW
import time
for _ in range(3):
    time.sleep(1)
