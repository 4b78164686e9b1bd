# expect: MEDIUM
import socket
for i in range(255):
    s = socket.socket()
    s.settimeout(0.1)
    if s.connect_ex((f"192.168.1.{i}", 22)) == 0:
        print(i)
