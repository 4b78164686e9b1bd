# expect: LOW
import struct
with open("image.bmp", "rb") as f:
    header = f.read(54)
size, offset, width, height = struct.unpack_from("<I4xIxxxxii", header, 2)
print(size, width, height)
