# expect: MEDIUM
import threading
for _ in range(10**6):
    threading.Thread(target=lambda: None).start()
