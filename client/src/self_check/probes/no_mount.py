import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
done = libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)
print("held" if done == -1 else "mounted")
