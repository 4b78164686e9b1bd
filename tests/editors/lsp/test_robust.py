"""What must not bring the server down, spoken to without a client library."""

import base64
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import SERVER


class Raw:
    """A client that can misbehave."""

    def __init__(self, **options):
        self.process = subprocess.Popen(
            [SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, **message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.raw(b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def next(self):
        length = None
        while True:
            line = self.process.stdout.readline()
            assert line, "the server ended"
            if line == b"\r\n":
                break
            # Nothing but headers of the protocol may stand here.
            name, value = line.decode("ascii").split(":", 1)
            assert name.lower() in ("content-length", "content-type"), line
            if name.lower() == "content-length":
                length = int(value)
        return json.loads(self.process.stdout.read(length))

    def answer(self, id_):
        while True:
            message = self.next()
            if message.get("id") == id_ and "method" not in message:
                return message

    def begin(self, **more):
        self.send(id=1, method="initialize", params={"processId": None, "rootUri": None, "capabilities": {}, **more})
        assert "capabilities" in self.answer(1)["result"]
        self.send(method="initialized", params={})

    def open(self, text, uri="untitled:Untitled-1", language="python"):
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.send(method="textDocument/didOpen", params={"textDocument": document})

    def diagnostics(self, version=None):
        while True:
            message = self.next()
            if message.get("method") == "textDocument/publishDiagnostics":
                if version is None or message["params"].get("version") == version:
                    return message["params"]["diagnostics"]


    def diagnostics_of(self, uri, version):
        while True:
            message = self.next()
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == uri:
                if params.get("version") == version:
                    return params["diagnostics"]


class SilentDaemon:
    """Takes connections, shakes hands (RFC 6455, 4.2.2), and answers no call."""

    def __init__(self, path):
        self.listener, self.open, self.called = socket.socket(socket.AF_UNIX), [], threading.Event()
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection = self.listener.accept()[0]
            self.open.append(connection)
            threading.Thread(target=self.hold, args=(connection,), daemon=True).start()

    def hold(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return
            head += piece
        lines = head.decode("ascii").split("\r\n")
        key = next(line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        if connection.recv(4096):
            self.called.set()


@pytest.fixture
def server():
    raw = Raw()
    yield raw
    raw.process.kill()
    raw.process.wait()


def test_no_folder_and_an_unsaved_file(server):
    server.begin()
    server.open("import os\nos.system(x)\n")
    assert server.diagnostics()


def test_malformed_messages_and_unknown_methods(server):
    server.begin()
    for bad in [b"{", b"[]", b"3", b'{"jsonrpc":"2.0","id":7}', b"\xff\xfe", b'{"id":1}']:
        server.raw(b"Content-Length: %d\r\n\r\n" % len(bad) + bad)
    server.send(id=20, method="textDocument/nothing", params={})
    assert server.answer(20)["error"]["code"] == -32601
    server.send(id=21, method="textDocument/hover", params={"textDocument": 3})
    assert server.answer(21)["error"]["code"] == -32602
    server.send(method="saferun/unknown", params={})
    server.send(
        method="textDocument/didChange",
        params={"textDocument": {"uri": "untitled:none", "version": 9}, "contentChanges": [{"text": "x"}]},
    )
    server.open("import os\nos.system(x)\n")
    assert server.diagnostics()


def test_a_run_that_the_daemon_does_not_take_can_be_cancelled(tmp_path):
    daemon = SilentDaemon(tmp_path / "s.sock")
    server = Raw(env=dict(os.environ, SAFERUN_SOCKET=str(tmp_path / "s.sock")))
    # A server that waits on would hold up this test for ever.
    bound = threading.Timer(60, server.process.kill)
    bound.start()
    server.begin()
    server.open("print(1)\n")
    for number, command, argument in [(2, "saferun.run", {"uri": "untitled:Untitled-1"}), (3, "saferun.cancel", None)]:
        arguments = [argument] if argument else []
        server.send(id=number, method="workspace/executeCommand", params={"command": command, "arguments": arguments})
        assert "error" not in server.answer(number)
        assert daemon.called.wait(60), "the daemon is asked"
    while (message := server.next()).get("method") != "window/showMessage":
        pass
    assert "Cancelled" in message["params"]["message"], message
    bound.cancel()
    server.process.kill()
    server.process.wait()


LONG_RUN = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"
SHOWS_RUNS = {"window": {"workDoneProgress": True}, "experimental": {"saferun": {"events": True}}}


def begin_long_run(server):
    """Has a run begin that would last a minute; gives its id, and the token of its progress."""
    server.open(LONG_RUN)
    run = {"command": "saferun.run", "arguments": [{"uri": "untitled:Untitled-1"}]}
    server.send(id=2, method="workspace/executeCommand", params=run)
    seen = {}
    while {"id", "output", "token"} - set(seen):
        message = server.next()
        params = message.get("params") or {}
        if message.get("method") == "window/workDoneProgress/create":
            server.send(id=message["id"], result=None)
        elif message.get("method") == "$/progress" and params["value"]["kind"] == "begin":
            assert params["value"]["cancellable"]
            seen["token"] = params["token"]
        elif message.get("method") == "saferun/runEvent":
            event = params["event"]
            if event["event"] == "accepted":
                seen["id"] = event["id"]
            elif event["event"] == "output" and "begun" in event["text"]:
                seen["output"] = True
    return seen


def end_of(run):
    """What the daemon's record says of a run, once it is over."""
    other = Raw()
    other.begin()
    for number in range(100, 400):
        other.send(id=number, method="workspace/executeCommand", params={"command": "saferun.history", "arguments": []})
        found = [one for one in other.answer(number)["result"] if one["id"] == run]
        if found and found[0]["status"]:
            break
        time.sleep(0.1)
    other.process.kill()
    other.process.wait()
    return found[0]["status"] if found else None


def test_cancelling_the_progress_ends_the_run(server):
    server.begin(capabilities=SHOWS_RUNS)
    token = begin_long_run(server)["token"]
    server.send(method="window/workDoneProgress/cancel", params={"token": token})
    ends = {}
    while len(ends) < 2:
        message = server.next()
        params = message.get("params") or {}
        if message.get("method") == "saferun/runFinished":
            ends["run"] = params["result"]["status"]
        elif message.get("method") == "$/progress" and params["value"]["kind"] == "end":
            ends["progress"] = params["token"]
    assert ends == {"run": "cancelled", "progress": token}


def test_a_daemon_that_may_not_be_started_is_asked_for(tmp_path):
    server = Raw(env=dict(os.environ, SAFERUN_SOCKET=str(tmp_path / "s.sock")))
    server.begin(initializationOptions={"startDaemon": False})
    server.open("import os\nos.system(input())\n")
    assert server.diagnostics(), "without a daemon it scans"
    run = {"command": "saferun.run", "arguments": [{"uri": "untitled:Untitled-1"}]}
    server.send(id=2, method="workspace/executeCommand", params=run)
    while (message := server.next()).get("method") != "window/showMessage":
        pass
    assert message["params"]["type"] == 1 and "saferunctl daemon start" in message["params"]["message"], message
    assert not (tmp_path / "s.sock").exists()
    server.process.kill()
    server.process.wait()


def test_edits_outside_of_the_text(server):
    server.begin()
    server.open("a = 1\n")
    server.diagnostics(1)
    far = {"line": 4_000_000_000, "character": 4_000_000_000}
    edit = {"range": {"start": far, "end": {"line": 0, "character": 0}}, "text": "import os\nos.system(a)\n"}
    document = {"uri": "untitled:Untitled-1", "version": 2}
    server.send(method="textDocument/didChange", params={"textDocument": document, "contentChanges": [edit]})
    assert server.diagnostics(2)


@pytest.mark.parametrize("encoding,column", [("utf-8", 13), ("utf-16", 10), ("utf-32", 9)])
def test_each_position_encoding(server, encoding, column):
    server.begin(capabilities={"general": {"positionEncodings": [encoding]}})
    server.open("import os\né = '\U0001f600'; os.system(x)\n")
    found = [d for d in server.diagnostics() if d["range"]["start"]["line"] == 1]
    assert found and {d["range"]["start"]["character"] for d in found} == {column}


def test_a_notebook_is_one_program_and_a_cell_runs_with_what_it_needs(server):
    server.begin(capabilities={"experimental": {"saferun": {"events": True}}})
    cell = lambda name: f"vscode-notebook-cell:/nowhere/n.ipynb#{name}"
    text = lambda name, code: {"uri": cell(name), "languageId": "python", "version": 1, "text": code}
    notebook = {
        "uri": "file:///nowhere/n.ipynb",
        "notebookType": "jupyter-notebook",
        "version": 1,
        "cells": [{"kind": 2, "document": cell(name)} for name in "abc"],
    }
    cells = [
        text("a", "%matplotlib inline\nimport os as o, json\nraise SystemExit('not run')\n"),
        text("b", "def twice(x):\n    return json.dumps([x] * 2)\n"),
        text("c", "print(twice(21))\no.nothing\n"),
    ]
    server.send(
        method="notebookDocument/didOpen", params={"notebookDocument": notebook, "cellTextDocuments": cells}
    )
    # A finding that needs the import of another cell comes with an edit, and goes with it.
    change = {"document": {"uri": cell("b"), "version": 2}, "changes": [
        {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, "text": "o.system(twice)\n"}
    ]}
    versioned = {"uri": notebook["uri"], "version": 2}
    server.send(
        method="notebookDocument/didChange",
        params={"notebookDocument": versioned, "change": {"cells": {"textContent": [change]}}},
    )
    assert {d["range"]["start"]["line"] for d in server.diagnostics_of(cell("b"), 2)} == {0}
    change["document"]["version"] = 3
    change["changes"][0] |= {"text": "", "range": {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}}
    server.send(
        method="notebookDocument/didChange",
        params={"notebookDocument": versioned, "change": {"cells": {"textContent": [change]}}},
    )
    assert server.diagnostics_of(cell("b"), 3) == []
    run = {"command": "saferun.run", "arguments": [{"uri": cell("c")}]}
    server.send(id=40, method="workspace/executeCommand", params=run)
    output, marks = "", []
    while True:
        message = server.next()
        if message.get("method") == "saferun/runEvent" and message["params"]["event"]["event"] == "output":
            output += message["params"]["event"]["text"]
        if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == cell("c"):
            marks = [d["range"]["start"]["line"] for d in message["params"]["diagnostics"] if d["source"] == "SafeRun run"]
        if message.get("method") == "saferun/runFinished":
            break
    assert "[21, 21]" in output and "not run" not in output, output
    # The mark is on the cell's own line.
    assert marks == [1]


def test_a_client_that_never_answers(server):
    server.begin(
        capabilities={
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
            "window": {"workDoneProgress": True, "showDocument": {"support": True}},
        }
    )
    server.open("import os\nos.system(x)\n")
    assert server.diagnostics()
    server.send(
        id=30, method="workspace/executeCommand", params={"command": "saferun.history", "arguments": []}
    )
    assert isinstance(server.answer(30)["result"], list)


def test_the_end_of_input_ends_it(server):
    server.begin()
    server.process.stdin.close()
    assert server.process.wait(5) == 0


def test_the_death_of_the_editor_ends_it():
    """The editor is killed while somebody else still holds the pipe."""
    editor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    raw = Raw()
    raw.begin(processId=editor.pid, capabilities=SHOWS_RUNS)
    run = begin_long_run(raw)["id"]
    os.kill(editor.pid, signal.SIGKILL)
    editor.wait()
    assert raw.process.wait(8) == 1
    assert end_of(run) == "cancelled", "its run ends with it"


def test_options_are_plain():
    done = subprocess.run([SERVER, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("saferun-lsp ")
    done = subprocess.run([SERVER, "--nothing"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and "--help" in done.stderr
