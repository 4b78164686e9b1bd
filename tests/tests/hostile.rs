//! Promise: a program that attacks the supervisor, the interpreter or the account of its own run fails,
//! and the account is right and prompt.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "the programs are pasted in whole"
)]

use saferun_protocol::{Outcome, RunRequest, RunResult};
use saferun_tests::Daemon;

fn timed(daemon: &Daemon, source: &str, seconds: u64) -> RunResult {
    let mut request = RunRequest::new(source);
    request.limits.time_ms = Some(seconds * 1000);
    daemon.run_request(request)
}

#[test]
fn i3_a_frame_on_standard_output_is_only_output() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    // The bytes of an `End` frame that claims exit code 42.
    let result = daemon.run(
        r#"
import os, struct, json
body = json.dumps({"exit": {"code": 42}, "terminated": False, "timed_out": False, "wall_us": 1, "cpu_us": 1,
    "peak_memory": 1, "oom_kills": 0, "pids_denied": 0, "full_mounts": [], "orphans_killed": 0,
    "stdout": {"total": 0, "dropped": 0}, "stderr": {"total": 0, "dropped": 0}}).encode()
frame = bytes([0x87]) + struct.pack("<I", len(body)) + body
for fd in range(0, 64):
    if fd != 2:
        try:
            os.write(fd, frame)
        except OSError:
            pass
raise SystemExit(3)
"#,
    );
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(3))
    );
    assert!(result.stdout_base64.is_some() || result.stdout.contains("\"exit\""));
}

#[test]
fn i3_no_tier_lets_a_program_forge_the_account_of_its_own_run() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    for runtime in daemon.status().engine.runtimes {
        let mut request = RunRequest::new(include_str!("../programs/forge.py"));
        request.runtime = Some(runtime.clone());
        request.limits.time_ms = Some(30_000);
        let result = daemon.run_request(request);
        assert_eq!(result.sandbox.runtime, runtime);
        assert_ne!(result.exit_code, Some(42), "{runtime}: {result:?}");
        assert!(
            !result.stdout.contains("tokens") || result.stdout.contains("tokens 0"),
            "{runtime}: the token can be read: {}",
            result.stdout
        );
        if runtime == "runc" {
            assert_eq!(result.exit_code, Some(3), "{result:?}");
        }
    }
}

#[test]
fn i2_pid_1_cannot_be_read_traced_or_signalled() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = daemon.run(
        r#"
import ctypes, os, signal
tried = []
for name in ("mem", "environ", "maps", "fd", "cwd", "exe", "root", "auxv", "stack", "syscall"):
    path = f"/proc/1/{name}"
    try:
        data = os.listdir(path) if name == "fd" else os.readlink(path) if name in ("cwd", "exe", "root") else open(path, "rb").read(64)
        tried.append((name, "readable", bool(data)))
    except OSError as error:
        tried.append((name, "refused", error.errno))
print([t for t in tried if t[1] == "readable" and t[2]])
for fd in range(64):
    try:
        os.open(f"/proc/1/fd/{fd}", os.O_WRONLY)
        print("opened", fd)
    except OSError:
        pass
libc = ctypes.CDLL(None, use_errno=True)
print("ptrace", libc.ptrace(16, 1, 0, 0))
for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD, signal.SIGPIPE, signal.SIGALRM):
    try:
        os.kill(1, number)
    except OSError as error:
        print("kill", number, error.errno)
print("alive")
"#,
    );
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(0)),
        "{result:?}"
    );
    assert_eq!(
        result.stdout.lines().next(),
        Some("[]"),
        "{}",
        result.stdout
    );
    assert!(!result.stdout.contains("opened"), "{}", result.stdout);
    assert!(result.stdout.contains("ptrace -1"), "{}", result.stdout);
    assert!(result.stdout.ends_with("alive\n"), "{}", result.stdout);
}

#[test]
fn t2_a_child_that_keeps_standard_output_open_delays_nothing() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    daemon.wait_for_warm(1);
    let result = timed(
        &daemon,
        r#"
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
print("parent is done", flush=True)
"#,
        30,
    );
    assert_eq!(result.status, Outcome::Completed, "{result:?}");
    assert_eq!(result.stdout, "parent is done\n");
    assert!(
        result.timing.run_ms < 10_000.0,
        "took {} ms",
        result.timing.run_ms
    );
}

#[test]
fn t1_nothing_survives_the_deadline() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = timed(
        &daemon,
        r#"
import os, signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
        while True:
            time.sleep(1)
while True:
    time.sleep(1)
"#,
        1,
    );
    assert_eq!(result.status, Outcome::Timeout, "{result:?}");
    assert!(
        result.timing.run_ms < 5_000.0,
        "took {} ms",
        result.timing.run_ms
    );
    daemon.wait_until("the container is gone", |daemon| {
        !daemon.containers().contains(&result.sandbox.container)
    });
}

#[test]
fn r1_a_fork_bomb_and_a_thread_bomb_end_in_time() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let forks = timed(
        &daemon,
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        2,
    );
    assert_eq!(forks.status, Outcome::Timeout, "{forks:?}");
    let threads = timed(
        &daemon,
        "import threading, time\nn = 0\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n    n += 1\n",
        10,
    );
    assert_eq!(threads.status, Outcome::PidsExhausted, "{threads:?}");
    assert_eq!(daemon.run("print('still here')").stdout, "still here\n");
}

#[test]
fn orphans_are_killed_and_counted_as_nothing_of_the_result() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = daemon.run(
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        os.setsid()\n        os.close(1); os.close(2)\n        time.sleep(600)\nos._exit(5)\n",
    );
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(5)),
        "{result:?}"
    );
}

#[test]
fn t3_a_program_that_kills_itself_is_signaled() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = daemon.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n");
    assert_eq!(
        (result.status, result.signal),
        (Outcome::Signaled, Some(9)),
        "{result:?}"
    );
}

#[test]
fn breaking_the_interpreter_from_within_changes_only_the_programs_own_end() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    // Each breaks what a runner written in Python would rely on; the exit status is the program's own.
    let cases = [
        (
            "import os\nos._exit = lambda code: None\nprint('a')\n",
            "a\n",
            Some(0),
        ),
        (
            "import os\ndef lie(code): raise RuntimeError\nos._exit = lie\nraise SystemExit(7)\n",
            "",
            Some(7),
        ),
        (
            "import sys\nsys.stdout = None\nraise SystemExit(4)\n",
            "",
            Some(4),
        ),
        (
            "import sys\nsys.excepthook = lambda *a: None\nraise ValueError\n",
            "",
            Some(1),
        ),
        (
            "import sys\ndel sys.excepthook\nraise ValueError('x')\n",
            "",
            Some(1),
        ),
        (
            "import threading\nthreading._shutdown = lambda: None\nprint('t')\n",
            "t\n",
            Some(0),
        ),
        (
            "import builtins\nbuiltins.print = builtins.exec = builtins.compile = builtins.open = None\nraise SystemExit(9)\n",
            "",
            Some(9),
        ),
        (
            "import builtins, sys\nfor n in list(vars(builtins)):\n    if n not in ('__build_class__', '__import__'): delattr(builtins, n)\n",
            "",
            None,
        ),
        ("import sys\nsys.modules.clear()\n", "", None),
        (
            "import gc, sys\nfor o in gc.get_objects():\n    if type(o) is dict and '__name__' in o and o is not globals(): o.clear()\n",
            "",
            None,
        ),
        (
            "import os\nfor fd in range(3, 4096):\n    try: os.close(fd)\n    except OSError: pass\nprint('closed')\n",
            "closed\n",
            Some(0),
        ),
        (
            "import os\nos.closerange(0, 4096)\nraise SystemExit(2)\n",
            "",
            None,
        ),
    ];
    for (source, stdout, code) in cases {
        let result = timed(&daemon, source, 20);
        assert!(
            matches!(result.status, Outcome::Completed | Outcome::Signaled),
            "{source}: {result:?}"
        );
        assert_eq!(result.stdout, stdout, "{source}: {result:?}");
        if let Some(code) = code {
            assert_eq!(result.exit_code, Some(code), "{source}: {result:?}");
        }
    }
}

#[test]
fn r2_memory_is_bounded_and_the_outcome_says_so() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = timed(
        &daemon,
        "data = []\nwhile True:\n    data.append(bytearray(8 << 20))\n",
        30,
    );
    assert_eq!(result.status, Outcome::Oom, "{result:?}");
    let child = timed(
        &daemon,
        "import os\nif os.fork() == 0:\n    data = []\n    while True: data.append(bytearray(8 << 20))\n_, status = os.wait()\nprint(os.WTERMSIG(status))\n",
        30,
    );
    assert_eq!(
        (child.status, child.stdout.as_str()),
        (Outcome::Completed, "9\n"),
        "{child:?}"
    );
}

#[test]
fn r5_a_full_disk_is_named() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = timed(
        &daemon,
        "with open('/tmp/big', 'wb') as f:\n    while True: f.write(b'x' * (1 << 20))\n",
        30,
    );
    assert_eq!(result.status, Outcome::DiskFull, "{result:?}");
}

#[test]
fn o1_a_flood_is_capped_counted_and_no_false_timeout() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let result = timed(
        &daemon,
        "import os\nblock = b'x' * (1 << 20)\nfor _ in range(200):\n    os.write(1, block)\nos.write(1, b'the end\\n')\n",
        60,
    );
    assert_eq!(
        (result.status, result.exit_code),
        (Outcome::Completed, Some(0)),
        "{result:?}"
    );
    assert!(result.stdout_truncated);
    assert!(result.stdout.ends_with("the end\n"));
    let kept = result.stdout.len() as u64;
    assert!(kept <= result.limits.output_bytes + 200, "kept {kept}");
    assert!(
        result.dropped_bytes >= (100 << 20),
        "dropped {}",
        result.dropped_bytes
    );
}
