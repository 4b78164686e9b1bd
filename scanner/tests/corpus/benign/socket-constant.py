# expect: LOW
import socket
print(socket.AF_INET)
