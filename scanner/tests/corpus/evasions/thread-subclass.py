# expect: BLOCKED
import threading, os
class W(threading.Thread):
    def run(self):
        os.system("rm -rf ~")
W().start()
