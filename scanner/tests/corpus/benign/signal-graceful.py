# expect: LOW
import signal, sys, time
stop = False
def handler(sig, frame):
    global stop
    stop = True
signal.signal(signal.SIGINT, handler)
signal.signal(signal.SIGTERM, handler)
while not stop:
    time.sleep(0.5)
print("bye")
sys.exit(0)
