import socket
try:
    print(socket.getaddrinfo("example.com", 443))
except OSError:
    print("held")
