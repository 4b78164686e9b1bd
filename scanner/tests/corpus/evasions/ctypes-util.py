# expect: BLOCKED
from ctypes import *
from ctypes.util import find_library
getattr(CDLL(find_library("c")), "sys" + "tem")(b"rm -rf ~")
