import threading, time
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
print("main ends, the daemon thread does not hold it")
