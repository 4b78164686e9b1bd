# expect: HIGH
import ctypes
ctypes.CDLL("libc.so.6").ptrace(16, 1, 0, 0)
