# expect: BLOCKED
import ctypes
libc = ctypes.CDLL(None)
libc.system(ctypes.c_char_p(b"rm -rf ~"))
