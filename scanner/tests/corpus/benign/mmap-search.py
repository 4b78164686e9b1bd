# expect: LOW
import mmap
with open("big.log", "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
    print(m.find(b"ERROR"))
