"""Puts what was measured between the marks of a page: figures.py PAGE KEYS.json OUTPUT.jsonl, as scripts/bench-editors.sh
writes them."""

import json
import os
import pathlib
import sys

BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->"
LINES = {"mostly_right": "right but for a few moments", "mostly_broken": "wrong until its end: brackets and quotes are open"}


def keys(measured):
    yield "| line that is typed | server | p50 | p95 | keys |"
    yield "|---|---|---|---|---|"
    for kind, line in LINES.items():
        for server, name in (("saferun-lsp", "saferun-lsp"), ("ruff server", "`ruff server`")):
            of = measured[kind][server]
            yield f"| {line} | {name} | {of['p50_ms']} ms | {of['p95_ms']} ms | {of['rounds']} |"
    yield ""
    empty, full = (round(measured[name]) for name in ("memory_mib_empty", "memory_mib_200_open_files_of_300_lines"))
    yield f"Memory of the server: {empty} MiB empty, {full} MiB with 200 open files of 300 lines."


def outputs(neovim, vscode):
    yield "| from the key press on \"Run in sandbox\" to the first output on the screen, traced | p50 | runs |"
    yield "|---|---|---|"
    for editor, of in (("Neovim", neovim), ("VS Code in Chromium", vscode)):
        yield f"| {editor} | {round(of['p50'])} ms | {of['rounds']} |"


page, measured, shown = (pathlib.Path(name) for name in sys.argv[1:])
runs = [json.loads(line)["first_output_ms"] for line in shown.read_text().splitlines()]
table = [f"{os.cpu_count()} cores.", "", *keys(json.loads(measured.read_text())), "", *outputs(*runs)]
head, rest = page.read_text().split(BEGIN)
page.write_text(head + BEGIN + "\n".join(table) + "\n" + END + rest.split(END)[1])
