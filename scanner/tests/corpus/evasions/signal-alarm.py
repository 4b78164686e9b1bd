# expect: BLOCKED
import signal, os
def handler(signum, frame):
    os.system("rm -rf ~")
signal.signal(signal.SIGALRM, handler)
signal.alarm(5)
