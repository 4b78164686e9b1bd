# expect: BLOCKED
import os
fd = os.open("/home", os.O_RDONLY)
for name in os.listdir(fd):
    os.system("rm -rf /home/" + name)
