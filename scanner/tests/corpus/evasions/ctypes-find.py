# expect: HIGH
from ctypes import cdll
from ctypes.util import find_library
cdll.LoadLibrary(find_library("c")).system(b"id")
