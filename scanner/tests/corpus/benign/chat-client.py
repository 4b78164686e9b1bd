# expect: MEDIUM
import socket, threading
s = socket.create_connection(("127.0.0.1", 9999))
def listen():
    while True:
        data = s.recv(1024)
        if not data:
            break
        print(data.decode(), end="")
threading.Thread(target=listen, daemon=True).start()
while True:
    s.sendall(input().encode() + b"\n")
