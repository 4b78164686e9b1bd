import signal, time


def handler(number, frame):
    raise TimeoutError("alarm")


signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.05)
try:
    time.sleep(10)
except TimeoutError as error:
    print(error)
