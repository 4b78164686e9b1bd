"""A small notes service and a client that uses it, both in one program, over loopback.

The sandbox has no network, yet a loopback of its own: a server that is tested by its own client works.
"""

import json
import threading
import urllib.error
import urllib.request
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Notes:
    """Notes in memory, safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: dict[int, str] = {}
        self._next = 1

    def add(self, text: str) -> int:
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._notes[number] = text
            return number

    def get(self, number: int) -> str | None:
        with self._lock:
            return self._notes.get(number)

    def all(self) -> dict[int, str]:
        with self._lock:
            return dict(self._notes)


class Handler(BaseHTTPRequestHandler):
    """GET /notes, GET /notes/N, POST /notes with {"text": ...}."""

    notes = Notes()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = self.path.strip("/").split("/")
        if parts == ["notes"]:
            return self.answer(HTTPStatus.OK, self.notes.all())
        if len(parts) == 2 and parts[0] == "notes" and parts[1].isdigit():
            text = self.notes.get(int(parts[1]))
            if text is not None:
                return self.answer(HTTPStatus.OK, {"text": text})
        return self.answer(HTTPStatus.NOT_FOUND, {"error": f"nothing at {self.path}"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            text = json.loads(body)["text"]
        except (ValueError, KeyError, TypeError):
            return self.answer(HTTPStatus.BAD_REQUEST, {"error": "send {\"text\": ...}"})
        return self.answer(HTTPStatus.CREATED, {"number": self.notes.add(text)})

    def answer(self, status: HTTPStatus, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        print(f"  server: {format % args}")


def call(base: str, path: str, content: object = None) -> tuple[int, object]:
    data = None if content is None else json.dumps(content).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(base + path, data=data), timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    print("serving on loopback")

    for text in ("buy milk", "water the plants", "überprüfen ✓"):
        print(call(base, "/notes", {"text": text}))
    print(call(base, "/notes/2"))
    print(call(base, "/notes/99"))
    print(call(base, "/notes", ["not a note"]))

    writers = [threading.Thread(target=call, args=(base, "/notes", {"text": f"from thread {n}"})) for n in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    status, notes = call(base, "/notes")
    print(f"{status}: {len(notes)} notes")
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
