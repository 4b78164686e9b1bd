# expect: HIGH
import ctypes
addr = id(1) + 24
ctypes.c_int.from_address(addr).value = 7
