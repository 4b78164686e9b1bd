# expect: BLOCKED
import hashlib, socket, json
s = socket.create_connection(("pool.supportxmr.com", 3333))
s.sendall(json.dumps({"method": "login", "params": {"login": "4A", "pass": "x"}}).encode())
