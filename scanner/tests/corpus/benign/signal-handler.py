# expect: LOW
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
