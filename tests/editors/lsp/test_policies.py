"""Policy files that do not hold: listed whether or not they are open, and told once."""

import os

import pytest
from test_workspace import Client, Daemon, until

GOOD = "version: 1\n"
BAD = "version: 1\nlimts:\n  time: 5s\n"
WORSE = "version: 1\nlimts: {}\nlevls: {}\n"
WARNING, INFO = 2, 3


@pytest.fixture
def place(tmp_path):
    """No daemon: the server reads the files by itself."""
    (tmp_path / "daemon").mkdir()
    place = Daemon(tmp_path / "daemon")
    place.user = place.folder / "config" / "policy.yaml"
    return place


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "work").mkdir()
    return (tmp_path / "work").resolve()


def changed(client, path):
    client.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": 2}]})


def write(path, text):
    path.write_text(text)
    os.chmod(path, 0o600)


def test_a_mistake_is_told_once_and_so_is_its_end(place, folder):
    write(place.user, BAD)
    client = Client(place, [folder], options={"watch": "off"}, watches=True)
    until(lambda: client.shown(place.user) == ["unknown-key"])
    mistake = client.pushed[place.user.as_uri()][-1][0]
    assert mistake["severity"] == 1 and mistake["range"]["start"]["line"] == 1, mistake
    until(lambda: client.messages)
    kind, said = client.messages[0]
    assert kind == WARNING and f"{place.user}:2" in said and "limts" in said, said
    # Another mistake in a file that does not hold is listed, and worth no message.
    for _ in range(5):
        write(place.user, WORSE)
        changed(client, place.user)
    until(lambda: client.shown(place.user) == ["unknown-key"] * 2)
    write(place.user, GOOD)
    changed(client, place.user)
    until(lambda: client.shown(place.user) == [])
    until(lambda: len(client.messages) == 2)
    assert client.messages[1][0] == INFO and "holds again" in client.messages[1][1]
    patterns = [watcher["globPattern"] for one in client.registered for watcher in one["registerOptions"]["watchers"]]
    assert "**/.saferun.yaml" in patterns
    assert {"baseUri": place.user.parent.as_uri(), "pattern": "policy.yaml"} in patterns, patterns
    client.end()


def test_what_an_editor_cannot_watch_is_seen_while_one_types(place, folder):
    project, file = folder / ".saferun.yaml", folder / "a.py"
    file.write_text("print(1)\n")
    client = Client(place, [folder], options={"watch": "off"})
    client.open(file, "print(1)\n")
    until(lambda: client.shown(file) is not None)
    assert not client.messages
    os.mkfifo(project)
    version = [1]

    def type_until(condition):
        def typed():
            version[0] += 1
            client.tell("textDocument/didChange", {
                "textDocument": {"uri": file.as_uri(), "version": version[0]},
                "contentChanges": [{"text": f"print({version[0]})\n"}]})
            return condition()
        until(typed)

    type_until(lambda: client.messages)
    assert "not a regular file" in client.messages[0][1], client.messages
    assert len(client.pushed[project.as_uri()][-1]) == 1
    project.unlink()
    type_until(lambda: client.pushed[project.as_uri()][-1] == [])
    assert len(client.messages) == 1, "what is gone holds no more than before"
    client.end()


def test_an_open_policy_is_the_editors_own_and_a_client_that_asks_is_answered(place, folder):
    project = folder / ".saferun.yaml"
    write(project, BAD)
    client = Client(place, [folder], pulls=True, options={"watch": "off"})
    until(lambda: client.messages)
    report = client.ask("workspace/diagnostic", {"previousResultIds": []})
    items = [item for item in report["items"] if item["uri"] == project.as_uri()]
    assert [one["code"] for one in items[-1]["items"]] == ["unknown-key"], report
    client.tell("textDocument/didOpen", {"textDocument": {
        "uri": project.as_uri(), "languageId": "yaml", "version": 1, "text": GOOD}})
    write(project, GOOD)
    client.tell("textDocument/didSave", {"textDocument": {"uri": project.as_uri()}})
    until(lambda: len(client.messages) == 2)
    assert client.ask("textDocument/diagnostic", {"textDocument": {"uri": project.as_uri()}})["items"] == []
    client.end()


def test_no_policy_file_puts_a_link_into_a_message(place, folder):
    project = folder / ".saferun.yaml"
    write(project, 'version: 1\n"[Mend it](command:workbench.action.terminal.new)": 1\n')
    client = Client(place, [folder], options={"watch": "off"}, watches=True)
    until(lambda: client.messages)
    kind, said = client.messages[0]
    assert kind == WARNING and "Mend it" in said and "](" not in said, said
    project.unlink()
    changed(client, project)
    until(lambda: client.shown(project) == [])
    # A folder's name is as good as a key.
    inner = folder / "[Mend it](command:x)"
    inner.mkdir()
    client.end()
    os.mkfifo(inner / ".saferun.yaml")
    client = Client(place, [inner], options={"watch": "off"}, watches=True)
    until(lambda: client.messages)
    said = client.messages[0][1]
    assert "Mend it" in said and "](" not in said, said
    client.end()
