# expect: LOW
import atexit
atexit.register(print, "bye")
