# expect: MEDIUM
import socket
socks = []
while True:
    s = socket.create_connection(("victim.test", 80))
    socks.append(s)
