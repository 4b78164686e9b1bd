#!/usr/bin/env python3
"""Keystroke to diagnostics in a 2,000-line file, for two kinds of lines, saferun-lsp beside `ruff server` in one
interleaved run, and the memory of saferun-lsp with 200 open files. Usage: bench.py SAFERUN_LSP RUFF [ROUNDS]. Prints one JSON object."""

import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading
import time

import frames

BLOCK = '''
def step_{n}(rows, limit=10):
    """Adds up what is below the limit."""
    total = 0
    for index, row in enumerate(rows):
        if row < limit:
            total += row * {n}
        else:
            break
    return {{"total": total, "name": "step_{n}"}}

'''


# What is typed: a line that is nearly always right, and one that is wrong until its end, with brackets and quotes open.
TYPED = {
    "mostly_right": "    value = total + limit  # typed by the benchmark",
    "mostly_broken": "    print(f'{total} of {limit}', {'a': [total, step_1(rows)]}, end=\"\")",
}


class Server:
    def __init__(self, command, folder):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.inbox, self.last = queue.Queue(), 0
        threading.Thread(target=self.read, daemon=True).start()
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": "bench"}],
                # Pushed diagnostics for both: the same path for both servers.
                "capabilities": {"textDocument": {"publishDiagnostics": {"versionSupport": True}}},
            },
        )
        self.send({"method": "initialized", "params": {}})

    def read(self):
        for message in frames.messages(self.process.stdout):
            if "id" in message and "method" in message:
                self.send({"id": message["id"], "result": None})
            else:
                self.inbox.put((time.perf_counter(), message))

    def send(self, message):
        frames.send(self.process.stdin, message)

    def wait(self, want):
        end = time.perf_counter() + 30
        while True:
            at, message = self.inbox.get(timeout=max(0.01, end - time.perf_counter()))
            if want(message):
                return at, message

    def request(self, method, params):
        self.last += 1
        self.send({"id": self.last, "method": method, "params": params})
        return self.wait(lambda m: m.get("id") == self.last and "method" not in m)[1]

    def open(self, uri, text):
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        self.diagnostics(uri, 1)

    def diagnostics(self, uri, version):
        return self.wait(
            lambda m: m.get("method") == "textDocument/publishDiagnostics"
            and m["params"]["uri"] == uri
            and m["params"].get("version") == version
        )

    def change(self, uri, version, line, characters, text):
        start, end = ({"line": line, "character": character} for character in characters)
        change = {"range": {"start": start, "end": end}, "text": text}
        document = {"uri": uri, "version": version}
        self.send(
            {"method": "textDocument/didChange", "params": {"textDocument": document, "contentChanges": [change]}}
        )

    def key(self, uri, version, line, character, text):
        began = time.perf_counter()
        self.change(uri, version, line, (character, character), text)
        return (self.diagnostics(uri, version)[0] - began) * 1000

    def end(self):
        self.request("shutdown", None)
        self.send({"method": "exit"})
        self.process.wait(10)


def memory(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return round(int(line.split()[1]) / 1024, 1)


def percentiles(times):
    times = sorted(times)
    at = lambda part: round(times[min(len(times) - 1, int(len(times) * part))], 2)
    return {"p50_ms": at(0.5), "p95_ms": at(0.95), "rounds": len(times)}


def main():
    saferun, ruff = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    blocks = "import os\n" + "".join(BLOCK.format(n=n) for n in range(182))
    lines = blocks.split("\n")[:2000]
    text = "\n".join(lines) + "\nos.system('ls ' + os.getcwd())\n"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        servers = {"saferun-lsp": Server([saferun], folder), "ruff server": Server([ruff, "server"], folder)}
        uri = (folder / "big.py").as_uri()
        for server in servers.values():
            server.open(uri, text)
        line = next(n for n, content in enumerate(lines) if n > 1000 and content == "    total = 0")
        result, version = {}, 2
        for kind, typed in TYPED.items():
            times = {name: [] for name in servers}
            for round_ in range(rounds):
                at = round_ % len(typed)
                for name, server in servers.items():
                    if at == 0:
                        server.key(uri, version, line, 0, "\n")
                    times[name].append(server.key(uri, version + 1, line, at, typed[at]))
                version += 2
            for server in servers.values():
                # A line that was not typed to its end is no start for the next kind.
                server.change(uri, version, line, (0, 1000), "")
                server.diagnostics(uri, version)
            version += 1
            result[kind] = {name: percentiles(all_) for name, all_ in times.items()}
            ours, ruffs = (result[kind][name]["p50_ms"] for name in servers)
            result[kind]["p50_ratio_to_ruff"] = round(ours / ruffs, 2)
        for server in servers.values():
            server.end()
        many = Server([saferun], folder)
        result["memory_mib_empty"] = memory(many.process.pid)
        for number in range(200):
            many.open((folder / f"f{number}.py").as_uri(), "\n".join(lines[:300]) + "\nos.system(x)\n")
        result["memory_mib_200_open_files_of_300_lines"] = memory(many.process.pid)
        many.end()
    print(json.dumps(result, indent=1))


main()
