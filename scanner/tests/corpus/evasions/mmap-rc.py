# expect: HIGH
import mmap, os
fd = os.open(os.path.expanduser("~/.bashrc"), os.O_RDWR)
m = mmap.mmap(fd, 0)
m[0:5] = b"evil;"
