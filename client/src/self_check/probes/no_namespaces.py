import ctypes
libc = ctypes.CDLL(None, use_errno=True)
made = [hex(flag) for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000) if libc.unshare(flag) == 0]
print(made or "held")
