import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    signal.pause()
attached = [pid for pid in (1, child) if libc.ptrace(16, pid, None, None) == 0]
os.kill(child, signal.SIGKILL)
print("attached to PID 1" if 1 in attached else "held")
