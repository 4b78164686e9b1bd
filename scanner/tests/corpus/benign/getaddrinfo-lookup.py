# expect: MEDIUM
import socket
print(socket.getaddrinfo("example.com", 443)[0][4])
