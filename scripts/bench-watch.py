#!/usr/bin/env python3
"""Measures the watch: latency from the close of a written file to its finding at a subscriber, for one file at a time
and within a burst; and what the daemon does while nothing changes in 50,000 watched files.

usage: bench-watch.py BIN latency [ROUNDS] [BURST] | BIN idle [SECONDS] [FILES] | BIN write PAGE [SECONDS]

BIN is the folder of saferund and saferunctl. No engine is needed. Prints one JSON object; `write` measures both and puts
the tables into a page, between its marks. Takes at most 5 minutes for the latency, and 5 and SECONDS (600) for the rest.
"""
import glob, json, os, queue, signal, statistics, subprocess, sys, tempfile, threading, time

DANGEROUS = "import os\nos.system('rm -rf ' + input())\n"


class Daemon:
    """A daemon of this measurement's own."""

    def __init__(self, binaries, policy=None):
        self.binaries, self.folder = binaries, tempfile.TemporaryDirectory(prefix="saferun-bench-watch-")
        home = self.folder.name
        os.makedirs(f"{home}/config")
        if policy:
            with open(f"{home}/config/policy.yaml", "w") as file:
                file.write(policy(home))
        self.environment = dict(
            os.environ, SAFERUN_SOCKET=f"{home}/saferund.sock", SAFERUN_STATE_DIR=f"{home}/state", SAFERUN_NO_START="1",
            SAFERUN_CONFIG_DIR=f"{home}/config", SAFERUN_SYSTEM_CONFIG_DIR=f"{home}/etc",
            SAFERUN_ENGINE=os.environ.get("SAFERUN_ENGINE", f"unix://{home}/no-engine.sock"))
        self.log = open(f"{home}/log", "w")
        self.process = None

    def start(self):
        # A daemon that watches hears of each mount in its namespace, by engines for instance.
        apart = ["unshare", "--mount", "--propagation", "private"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen([*apart, f"{self.binaries}/saferund"], env=self.environment, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not os.path.exists(self.environment["SAFERUN_SOCKET"]):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"the daemon did not start: {open(self.folder.name + '/log').read()}")
            time.sleep(0.05)

    def call(self, method):
        reply = subprocess.run(
            ["curl", "-s", "--max-time", "10", "--unix-socket", self.environment["SAFERUN_SOCKET"], "http://localhost/",
             "-H", "content-type: application/json", "-d",
             json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": []})],
            check=True, capture_output=True)
        return json.loads(reply.stdout)["result"]

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.folder.cleanup()

    def counters(self):
        """Voluntary context switches of each thread and CPU time (s) of all: what other load does not change."""
        switches = {}
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/status"):
            with open(path) as status:
                switches[path] = next(int(line.split()[1]) for line in status if line.startswith("voluntary_ctxt"))
        with open(f"/proc/{self.process.pid}/stat") as stat:
            user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
        with open(f"/proc/{self.process.pid}/status") as status:
            resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        return switches, (int(user) + int(system)) / os.sysconf("SC_CLK_TCK"), resident


def wakeups(before, after):
    """Of the threads that are there at the end: what others did before they ended is no rest."""
    return sum(count - before[0].get(thread, 0) for thread, count in after[0].items())


def percentiles(milliseconds):
    ranked = sorted(milliseconds)
    return {"n": len(ranked), "p50_ms": round(statistics.median(ranked), 1),
            "p95_ms": round(ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))], 1), "max_ms": round(ranked[-1], 1)}


def latency(binaries, rounds=200, burst=1000):
    daemon = Daemon(binaries)
    watch = None
    deadline = time.monotonic() + 300

    def following():
        return seen.get(timeout=max(0.001, deadline - time.monotonic()))
    try:
        daemon.start()
        root = os.path.realpath(tempfile.mkdtemp(dir=daemon.folder.name))
        watch = subprocess.Popen([f"{binaries}/saferunctl", "watch", "--json", root], env=daemon.environment,
                                 stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        seen = queue.Queue()

        def read():
            for line in watch.stdout:
                now, item = time.monotonic(), json.loads(line)
                if item["event"] == "ready":
                    seen.put((now, None))
                elif item["event"] == "file":
                    seen.put((now, item["file"]["path"]))
        threading.Thread(target=read, daemon=True).start()
        while following()[1] is not None:
            pass

        def write(number):
            path = f"{root}/f{number}.py"
            with open(path, "w") as file:
                file.write(DANGEROUS + f"# {number}\n")
            return path, time.monotonic()
        single = []
        for number in range(rounds):
            path, closed = write(number)
            at, told = following()
            assert told == path, (told, path)
            single.append((at - closed) * 1000)
        closed = dict(write(rounds + number) for number in range(burst))
        together = []
        for _ in range(burst):
            at, told = following()
            together.append((at - closed.pop(told)) * 1000)
        assert not closed
        return {"single": percentiles(single), "burst": percentiles(together)}
    finally:
        if watch:
            watch.kill()
            watch.wait()
        daemon.stop()


def idle(binaries, seconds=600, files=50_000):
    tree = lambda home: f"{os.path.realpath(home)}/tree"
    daemon = Daemon(binaries, lambda home: f"version: 1\nwatch:\n  roots: [{tree(home)}]\n")
    try:
        root = tree(daemon.folder.name)
        for number in range(files):
            folder = f"{root}/d{number // 100}"
            if number % 100 == 0:
                os.makedirs(folder)
            with open(f"{folder}/f{number}.py", "w") as file:
                file.write(f"x = {number}\n")
        daemon.start()
        deadline = time.monotonic() + 300
        while True:
            roots = daemon.call("saferun.watchList")
            if roots and roots[0]["state"] == "watching":
                break
            if time.monotonic() > deadline:
                raise SystemExit(f"not watching within 300 s: {roots}")
            time.sleep(0.5)
        assert roots[0]["files"] == files, roots
        # Longer than threads that scanned stay for more.
        time.sleep(20)
        before = daemon.counters()
        time.sleep(seconds)
        after = daemon.counters()
        # Each file opened and read by somebody else: events of inotify that are nobody's business here.
        for number in range(1000):
            with open(f"{root}/d0/f{number % 100}.py") as file:
                file.read()
        time.sleep(2)
        opened = daemon.counters()
        return {"files": files, "folders": roots[0]["folders"], "seconds": seconds, "wakeups": wakeups(before, after),
                "cpu_s": round(after[1] - before[1], 2), "resident_kib": after[2],
                "wakeups_by_1000_opens": wakeups(after, opened), "cpu_s_by_1000_opens": round(opened[1] - after[1], 2)}
    finally:
        daemon.stop()


def machine():
    """Where it was measured."""
    with open("/proc/cpuinfo") as info:
        names = [line.split(":", 1)[1].strip() for line in info if line.startswith("model name")]
    return f"{os.cpu_count()} cores ({names[0] if names else '?'}), kernel {os.uname().release.split('-')[0]}"


def write(binaries, page, seconds=600):
    told, rest = latency(binaries), idle(binaries, seconds)
    rows = [("one file at a time, {n} files", told["single"]), ("within a burst of {n}", told["burst"])]
    lines = [f"On {machine()}:", "", "| from a file's close to its finding in `saferunctl watch --json` | p50 | p95 | worst |",
             "|---|---|---|---|"]
    lines += [f"| {name.format(n=format(row['n'], ','))} | {row['p50_ms']:,} ms | {row['p95_ms']:,} ms | {row['max_ms']:,} ms |"
              for name, row in rows]
    apart = ", in a mount namespace of its own" if os.geteuid() == 0 else ""
    lines += ["", f"| the daemon with {rest['files']:,} files in {rest['folders']:,} folders watched, and no engine{apart} | |",
              "|---|---|", f"| wake-ups in {rest['seconds']:,} s | {rest['wakeups']:,} |",
              f"| CPU time in {rest['seconds']:,} s | {rest['cpu_s']} s |",
              f"| wake-ups while another program opens and reads 1,000 of the files | {rest['wakeups_by_1000_opens']:,} |",
              f"| resident memory | {rest['resident_kib'] // 1024:,} MiB |"]
    begin, end = "<!-- measured -->\n", "<!-- /measured -->"
    with open(page) as file:
        head, tail = file.read().split(begin)
    with open(page, "w") as file:
        file.write(head + begin + "\n".join(lines) + "\n" + end + tail.split(end, 1)[1])
    return {**told, "idle": rest}


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("latency", "idle", "write"):
        raise SystemExit(__doc__)
    if sys.argv[2] == "write" and len(sys.argv) > 3:
        print(json.dumps(write(sys.argv[1], sys.argv[3], *map(int, sys.argv[4:]))))
        raise SystemExit(0)
    print(json.dumps({"latency": latency, "idle": idle}[sys.argv[2]](sys.argv[1], *map(int, sys.argv[3:]))))
