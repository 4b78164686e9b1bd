# expect: BLOCKED
from ctypes import *
getattr(CDLL("libc.so.6"), "system")(b"rm -rf ~")
