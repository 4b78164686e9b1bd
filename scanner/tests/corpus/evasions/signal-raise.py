# expect: BLOCKED
import signal, os
signal.signal(signal.SIGUSR1, lambda *a: os.system("rm -rf ~"))
signal.raise_signal(signal.SIGUSR1)
