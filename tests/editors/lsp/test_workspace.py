"""Files of the workspace that are not open: what the daemon's watch finds in them, pushed or pulled, told once."""

import os
import subprocess
import threading
import time

import frames
import pytest
from conftest import BIN, SERVER

BAD = "import os\ns = 'é𝄞'; os.system(s + input())\n"
OTHER = "eval(input())\n"


class Daemon:
    """A daemon of the test's own, without an engine, that can go and come back."""

    def __init__(self, folder):
        (folder / "config").mkdir()
        self.folder = folder
        self.environment = dict(
            os.environ, SAFERUN_SOCKET=str(folder / "s.sock"), SAFERUN_STATE_DIR=str(folder / "state"),
            SAFERUN_CONFIG_DIR=str(folder / "config"), SAFERUN_SYSTEM_CONFIG_DIR=str(folder / "etc"),
            SAFERUN_ENGINE=f"unix://{folder}/no-engine.sock")
        self.process = None

    def start(self):
        self.process = subprocess.Popen([str(BIN / "saferund")], env=self.environment, stdin=subprocess.DEVNULL,
                                        stderr=open(self.folder / "log", "a"))
        until(lambda: (self.folder / "s.sock").exists())

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None


class Client:
    """An editor that pushes or pulls, and remembers what it was told."""

    def __init__(self, daemon, folders, pulls=False, options=None, watches=False):
        self.process = subprocess.Popen([SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=daemon.environment)
        self.lock, self.answers, self.last = threading.Lock(), {}, 0
        # All that was pushed of each file in order, and what is shown now.
        self.pushed, self.log, self.versions, self.messages = {}, [], set(), []
        # What the server asked to be told of.
        self.registered = []
        threading.Thread(target=self.read, daemon=True).start()
        capabilities = {"workspace": {"workspaceFolders": True, "configuration": False}, "textDocument": {}}
        if watches:
            capabilities["workspace"]["didChangeWatchedFiles"] = {
                "dynamicRegistration": True, "relativePatternSupport": True}
        if pulls:
            capabilities["textDocument"]["diagnostic"] = {}
            capabilities["workspace"]["diagnostics"] = {"refreshSupport": True}
        self.offered = self.ask("initialize", {
            "processId": os.getpid(), "capabilities": capabilities, "initializationOptions": options,
            "workspaceFolders": [{"uri": f.as_uri(), "name": f.name} for f in folders]})["capabilities"]
        self.tell("initialized", {})

    def read(self):
        for message in frames.messages(self.process.stdout):
            with self.lock:
                if message.get("method") == "textDocument/publishDiagnostics":
                    params = message["params"]
                    self.pushed.setdefault(params["uri"], []).append(params["diagnostics"])
                    self.versions.add(params.get("version"))
                elif message.get("method") == "window/logMessage":
                    self.log.append(message["params"]["message"])
                elif message.get("method") == "window/showMessage":
                    self.messages.append((message["params"]["type"], message["params"]["message"]))
                elif message.get("method") == "client/registerCapability":
                    self.registered += message["params"]["registrations"]
                    self.send({"id": message["id"], "result": None})
                elif "method" in message and "id" in message:
                    self.send({"id": message["id"], "result": None})
                elif "id" in message:
                    self.answers[message["id"]] = message

    def send(self, message):
        frames.send(self.process.stdin, message)

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def begin(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        return self.last

    def ask(self, method, params):
        number = self.begin(method, params)
        until(lambda: number in self.answers)
        assert "error" not in self.answers[number], self.answers[number]
        return self.answers[number]["result"]

    def open(self, path, text):
        self.tell("textDocument/didOpen", {"textDocument": {
            "uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}})

    def close(self, path):
        self.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})

    def shown(self, path):
        """The rules that are shown of a file now; `None` if nothing was ever said of it."""
        with self.lock:
            told = self.pushed.get(path.as_uri())
            return None if told is None else [one["code"] for one in told[-1] if "code" in one]

    def times(self, path):
        with self.lock:
            return len(self.pushed.get(path.as_uri(), []))

    def end(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        assert self.process.wait(10) == 0


def until(condition, within=30):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


@pytest.fixture
def daemon(tmp_path):
    (tmp_path / "daemon").mkdir()
    daemon = Daemon(tmp_path / "daemon")
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work").mkdir()
    return (tmp_path / "work").resolve()


def test_what_lands_is_pushed_once_with_the_editors_columns_and_taken_back(daemon, folder):
    (folder / "old.py").write_text(OTHER)
    client = Client(daemon, [folder])
    until(lambda: client.shown(folder / "old.py"))
    new = folder / "sub" / "a b.py"
    new.parent.mkdir()
    new.write_text(BAD)
    until(lambda: client.shown(new))
    # In UTF-16, which this client has, the letter is one unit and the clef is two.
    starts = {one["range"]["start"]["character"] for one in client.pushed[new.as_uri()][-1]}
    assert min(starts) == 11, client.pushed[new.as_uri()]
    # The same content under the same name is no news; a save by renaming is none either.
    (folder / "draft").write_text(BAD)
    (folder / "draft").rename(new)
    (folder / "last.py").write_text(OTHER)
    until(lambda: client.shown(folder / "last.py"))
    assert client.times(new) == 1, client.pushed[new.as_uri()]
    new.unlink()
    until(lambda: client.shown(new) == [])
    client.end()


def test_an_open_file_is_the_editors_own_and_closing_hands_it_over(daemon, folder):
    file = folder / "a.py"
    file.write_text(BAD)
    client = Client(daemon, [folder])
    until(lambda: client.shown(file))
    saved = client.shown(file)
    # What is open differs from what is on the disk.
    client.open(file, OTHER)
    until(lambda: client.shown(file) not in (None, saved))
    unsaved = client.shown(file)
    # The file changes on the disk while it is open, and so does another.
    file.write_text("import os\nos.system(input())\nos.system('x' + input())\n")
    (folder / "b.py").write_text(OTHER)
    until(lambda: client.shown(folder / "b.py"))
    assert client.shown(file) == unsaved, "the watch says nothing of a file that is open"
    client.close(file)
    until(lambda: client.shown(file) not in (None, unsaved))
    assert len(client.shown(file)) > len(saved) - 1 and client.shown(file) != []
    client.end()


def test_a_client_that_asks_is_answered_and_nothing_is_pushed_to_it(daemon, folder):
    (folder / "a.py").write_text(BAD)
    client = Client(daemon, [folder], pulls=True)
    assert client.offered["diagnosticProvider"]["workspaceDiagnostics"] is True
    known = {}

    def ask():
        answer = client.ask("workspace/diagnostic", {
            "previousResultIds": [{"uri": uri, "value": value} for uri, value in known.items()]})
        for item in answer["items"]:
            known.pop(item["uri"], None)
            if item.get("resultId"):
                known[item["uri"]] = item["resultId"]
        return {item["uri"]: item["items"] for item in answer["items"]}

    first = ask()
    assert first[(folder / "a.py").as_uri()]
    # Nothing is new: the question waits until something is.
    number = client.begin("workspace/diagnostic", {
        "previousResultIds": [{"uri": uri, "value": value} for uri, value in known.items()]})
    (folder / "b.py").write_text(OTHER)
    until(lambda: number in client.answers)
    items = client.answers[number]["result"]["items"]
    assert [item["uri"] for item in items] == [(folder / "b.py").as_uri()], items
    known[items[0]["uri"]] = items[0]["resultId"]
    # Who opens a file asks for it by itself.
    client.open(folder / "a.py", BAD)
    assert ask() == {(folder / "a.py").as_uri(): []}
    report = client.ask("textDocument/diagnostic", {"textDocument": {"uri": (folder / "a.py").as_uri()}})
    assert report["items"]
    client.close(folder / "a.py")
    assert ask()[(folder / "a.py").as_uri()]
    (folder / "b.py").unlink()
    assert ask() == {(folder / "b.py").as_uri(): []}
    assert all(all(not one for one in told[-1:]) for told in client.pushed.values()), client.pushed
    # A question that is held does not hold up the end.
    client.begin("workspace/diagnostic", {
        "previousResultIds": [{"uri": uri, "value": value} for uri, value in known.items()]})
    client.end()


def test_a_client_that_asks_of_open_files_only_has_the_others_pushed(daemon, folder):
    file = folder / "a.py"
    file.write_text(BAD)
    client = Client(daemon, [folder], pulls=True)
    until(lambda: client.shown(file))
    client.open(file, OTHER)
    report = client.ask("textDocument/diagnostic", {"textDocument": {"uri": file.as_uri()}})
    assert report["items"]
    until(lambda: client.shown(file) == [])
    file.write_text("import os\nos.system(input())\n")
    (folder / "b.py").write_text(OTHER)
    until(lambda: client.shown(folder / "b.py"))
    assert client.shown(file) == [], "what is open is the editor's own"
    assert client.versions == {None}, "only what is open has a version"
    client.close(file)
    until(lambda: client.shown(file))
    client.end()


def test_the_daemon_goes_and_comes_back(daemon, folder):
    (folder / "a.py").write_text(BAD)
    (folder / "b.py").write_text(OTHER)
    client = Client(daemon, [folder])
    until(lambda: client.shown(folder / "a.py") and client.shown(folder / "b.py"))
    daemon.stop()
    (folder / "b.py").unlink()
    (folder / "c.py").write_text(OTHER)
    daemon.start()
    until(lambda: client.shown(folder / "c.py") and client.shown(folder / "b.py") == [])
    assert client.times(folder / "a.py") == 1, "it is what it was"
    # It stays away: nobody vouches for what was said.
    daemon.stop()
    until(lambda: client.shown(folder / "a.py") == [] and client.shown(folder / "c.py") == [], 60)
    daemon.start()
    until(lambda: client.shown(folder / "a.py"), 60)
    client.end()


def test_folders_come_and_go_and_settings_hold(daemon, folder):
    one, two = folder / "one", folder / "two"
    for path in (one, two):
        path.mkdir()
        (path / "a.py").write_text(BAD)
    client = Client(daemon, [one])
    until(lambda: client.shown(one / "a.py"))
    assert client.shown(two / "a.py") is None
    client.tell("workspace/didChangeWorkspaceFolders", {"event": {
        "added": [{"uri": two.as_uri(), "name": "two"}], "removed": [{"uri": one.as_uri(), "name": "one"}]}})
    until(lambda: client.shown(two / "a.py") and client.shown(one / "a.py") == [])
    client.tell("workspace/didChangeConfiguration", {"settings": {"saferun": {"watch": "off"}}})
    until(lambda: client.shown(two / "a.py") == [])
    client.tell("workspace/didChangeConfiguration", {"settings": {"saferun": {"watch": "all"}}})
    until(lambda: client.shown(two / "a.py"))
    # Nothing counts as a model's here.
    client.tell("workspace/didChangeConfiguration", {"settings": {"saferun": {"watch": "generated"}}})
    until(lambda: client.shown(two / "a.py") == [])
    client.end()


def test_a_folder_behind_a_link_keeps_the_editors_name_for_it(daemon, folder):
    (folder / "real").mkdir()
    (folder / "real" / "a.py").write_text(BAD)
    (folder / "link").symlink_to("real")
    client = Client(daemon, [folder / "link"])
    until(lambda: client.shown(folder / "link" / "a.py"))
    assert client.shown(folder / "real" / "a.py") is None
    client.end()
