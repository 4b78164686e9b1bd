import os
written = 0
try:
    with open("/tmp/full", "wb", buffering=0) as file:
        while written < 1 << 31:
            written += file.write(bytes(1 << 20))
    print(written, "bytes")
except OSError as error:
    print("held" if error.errno == 28 else error)
os.unlink("/tmp/full")
