# expect: LOW
import ctypes
class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_int)]
p = Point(1, 2)
print(p.x, bytes(p), ctypes.sizeof(Point))
