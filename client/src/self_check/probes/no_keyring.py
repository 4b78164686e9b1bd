import ctypes, platform
libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
print("held" if number and libc.syscall(number, 0, -3, 1) == -1 else "the session keyring answered")
