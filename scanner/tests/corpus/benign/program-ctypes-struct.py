# expect: LOW
import ctypes

class Header(ctypes.LittleEndianStructure):
    _pack_ = 1
    _fields_ = [("magic", ctypes.c_uint32), ("size", ctypes.c_uint16)]

with open("sample.bin", "rb") as f:
    header = Header.from_buffer_copy(f.read(ctypes.sizeof(Header)))
print(hex(header.magic), header.size)
