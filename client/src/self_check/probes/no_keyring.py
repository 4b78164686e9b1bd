import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 250, "aarch64": 219}.get(platform.machine())
answer = libc.syscall(number, 0, -3, 1) if number else 0
closed = answer == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS, errno.EACCES)
print("held" if closed else f"the session keyring answered {answer}, error {ctypes.get_errno()}")
