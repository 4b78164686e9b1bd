# expect: HIGH
import threading
def work():
    threading.Thread(target=work).start()
    threading.Thread(target=work).start()
work()
