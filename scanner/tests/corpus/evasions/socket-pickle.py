# expect: BLOCKED
import socket, pickle
s = socket.socket()
s.bind(("0.0.0.0", 1))
s.listen()
c, a = s.accept()
pickle.loads(c.recv(9999))
