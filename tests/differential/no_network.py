import socket
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
except OSError as error:
    print(type(error).__name__, error.errno)
try:
    socket.getaddrinfo("example.com", 80)
except OSError as error:
    print(type(error).__name__)
