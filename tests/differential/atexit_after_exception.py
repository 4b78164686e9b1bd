import atexit
atexit.register(lambda: print("ran"))
raise ValueError("then atexit")
