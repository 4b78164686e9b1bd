# expect: BLOCKED
import os
fd = os.open("/dev/nvme0n1", os.O_WRONLY)
os.write(fd, b"\0" * 4096)
