import _thread, threading
print(threading.main_thread() is threading.current_thread(), _thread._count(), len(threading.enumerate()))
