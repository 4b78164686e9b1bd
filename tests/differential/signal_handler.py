import os, signal


def handler(number, frame):
    print("got", signal.Signals(number).name, frame.f_code.co_name)


signal.signal(signal.SIGUSR1, handler)
signal.signal(signal.SIGTERM, handler)
os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGTERM)
print("end")
