"""Tries to reach the network in the ways programs do, and says how each one fails.

Inside the sandbox there is no network at all: no route, no name server, only a loopback of its own.
"""

import socket
import urllib.request


def attempt(what: str, action) -> None:
    try:
        print(f"{what}: it WORKED: {action()!r}")
    except OSError as error:
        print(f"{what}: {type(error).__name__}: {error}")


def connect() -> str:
    with socket.create_connection(("192.0.2.1", 443), timeout=3) as sock:  # TEST-NET-1, RFC 5737
        return str(sock.getpeername())


def send_datagram() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return sock.sendto(b"hello?", ("192.0.2.1", 53))


def talk_to_myself() -> bytes:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            connection, _ = server.accept()
            with connection:
                client.sendall(b"hello, me")
                return connection.recv(64)


if __name__ == "__main__":
    attempt("list the interfaces", lambda: [name for _, name in socket.if_nameindex()])
    attempt("look up a name", lambda: socket.getaddrinfo("example.com", 443))
    attempt("open a connection", connect)
    attempt("send a datagram", send_datagram)
    attempt("fetch a page", lambda: urllib.request.urlopen("https://example.com", timeout=3).status)
    attempt("talk to myself", talk_to_myself)
