# expect: BLOCKED
import threading, os
threading.Timer(30, os.system, args=["rm -rf ~"]).start()
