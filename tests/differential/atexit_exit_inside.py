import atexit, os
atexit.register(lambda: os._exit(42))
