import ctypes, struct, sys
print(ctypes.sizeof(ctypes.c_void_p), struct.calcsize("P"))


class Pair(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int), ("b", ctypes.c_double)]


pair = Pair(1, 2.5)
print(pair.a, pair.b, ctypes.sizeof(Pair))
libc = ctypes.CDLL(None)
print(libc.abs(-3), ctypes.string_at(b"abc"))
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1)
print(callback(4), ctypes.pythonapi.Py_IsInitialized())
print(sys.getsizeof(b""), struct.unpack("<I", b"\1\0\0\0"))
