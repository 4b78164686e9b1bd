"""Messages of the language server protocol on a pair of pipes: what the benchmark and the tests with raw pipes share."""

import json


def messages(stream):
    """Each message until the stream ends."""
    while True:
        length = None
        while (line := stream.readline()) != b"\r\n":
            if not line:
                return
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        yield json.loads(stream.read(length))


def send(stream, message):
    """Writes one message, with the version that each has."""
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stream.flush()
