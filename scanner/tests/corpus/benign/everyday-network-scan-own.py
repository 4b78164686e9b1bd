# expect: MEDIUM
import socket
from concurrent.futures import ThreadPoolExecutor


def check(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return port if s.connect_ex(("127.0.0.1", port)) == 0 else None


with ThreadPoolExecutor(100) as ex:
    print([p for p in ex.map(check, range(1, 1025)) if p])
