import os, signal
print("lost, not flushed")
os.kill(os.getpid(), signal.SIGTERM)
