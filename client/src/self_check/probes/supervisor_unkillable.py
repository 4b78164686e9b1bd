import os, signal, time
for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, signal.SIGSEGV):
    try:
        os.kill(1, number)
    except OSError:
        pass
time.sleep(0.05)
print("held")
