# expect: BLOCKED
import os, threading
threading.Thread(target=os.system, args=("rm -rf ~",)).start()
