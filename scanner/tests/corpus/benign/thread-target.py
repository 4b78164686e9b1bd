# expect: LOW
import threading
threading.Thread(target=print, args=("hi",)).start()
