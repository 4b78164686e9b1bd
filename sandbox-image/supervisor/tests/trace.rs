//! A traced run tells what it does, by the kernel's word; ways to hide are caught, refused, or named here as unseen.

mod common;

use common::{Outcome, Sandbox, spec};
use saferun_frames::{Account, EventKind, RunSpec, Seen, TraceEvent, TraceVerdict};

fn traced(source: &str) -> Option<Outcome> {
    let (mut sandbox, _) = Sandbox::start()?;
    let spec = RunSpec {
        account: Account {
            trace: true,
            lines: true,
            ..Account::default()
        },
        ..spec()
    };
    let outcome = sandbox.run(spec, source);
    let end = outcome.end().trace.as_ref().expect("it was asked for");
    assert_eq!(
        end.unavailable,
        None,
        "{:?}",
        String::from_utf8_lossy(&outcome.stderr)
    );
    Some(outcome)
}

fn find<'o>(outcome: &'o Outcome, kind: EventKind, part: &str) -> Option<&'o TraceEvent> {
    let mut events = outcome.trace.iter();
    events.find(|event| event.kind == kind && event.what.contains(part))
}

fn expect<'o>(outcome: &'o Outcome, kind: EventKind, part: &str) -> &'o TraceEvent {
    find(outcome, kind, part)
        .unwrap_or_else(|| panic!("no {kind:?} of {part}: {:#?}", outcome.trace))
}

#[test]
fn what_a_program_does_is_told_in_order_with_its_lines() {
    let source = r#"import os, socket, subprocess
open("new.txt", "w").write("x")
os.remove("new.txt")
subprocess.run(["/bin/echo", "hi"])
try: open("/etc/shadow")
except OSError: pass
s = socket.socket()
try: s.connect(("192.0.2.7", 443))
except OSError: pass
try: socket.getaddrinfo("evil.example", 443)
except OSError: pass
print("done")
"#;
    let Some(outcome) = traced(source) else {
        return;
    };
    assert_eq!(outcome.text(), "hi\ndone\n");
    let rows = [
        (EventKind::Write, "/new.txt", Some(2), Seen::Kernel),
        (EventKind::Delete, "/new.txt", Some(3), Seen::Kernel),
        (EventKind::Process, "/bin/echo hi", Some(4), Seen::Kernel),
        (EventKind::Secret, "/etc/shadow", Some(5), Seen::Kernel),
        (EventKind::Network, "192.0.2.7:443", Some(8), Seen::Kernel),
        (EventKind::Name, "evil.example", Some(10), Seen::Program),
    ];
    let mut last = 0;
    for (kind, part, line, seen) in rows {
        let event = expect(&outcome, kind, part);
        assert_eq!(
            (event.line, event.seen),
            (line, seen),
            "{:#?}",
            outcome.trace
        );
        assert_eq!(event.file.as_deref(), Some("main.py"), "{event:?}");
        assert!(event.at_us >= last, "{event:?}");
        last = event.at_us;
    }
    let network = expect(&outcome, EventKind::Network, "192.0.2.7");
    assert_eq!(network.verdict, TraceVerdict::Refused);
}

#[test]
fn a_traced_program_sees_what_it_would_see_untraced() {
    let source = "import sys, os, threading\nprint(sorted(m for m in sys.modules if 'ctypes' in m), sys.argv, __file__ == os.path.abspath('main.py'))\nt = threading.Thread(target=print, args=('t',)); t.start(); t.join()\nsys.exit(3)";
    let Some(outcome) = traced(source) else {
        return;
    };
    assert_eq!(outcome.text(), "[] ['main.py'] True\nt\n");
    assert_eq!(outcome.end().exit, saferun_frames::Exit::Code(3));
}

#[test]
fn calls_past_the_interpreter_are_seen_too() {
    let source = r#"
import ctypes, os, threading, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
O = os.O_WRONLY | os.O_CREAT
libc.open(b"by-ctypes", O, 0o600)
libc.syscall(257, -100, b"by-number", O, 0o600)
def thread(): libc.open(b"by-thread", O, 0o600)
t = threading.Thread(target=thread); t.start(); t.join()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: libc.open(b"by-grandchild", O, 0o600); os._exit(0)
    os._exit(0)
os.wait()
subprocess.run(["/bin/sh", "-c", "echo > by-another-program"])
subprocess.run([sys.executable, "-S", "-c", "open('by-fresh-python', 'w')"])
import time
while not os.path.exists("by-grandchild"): time.sleep(0.01)
"#;
    let Some(outcome) = traced(source) else {
        return;
    };
    for name in [
        "by-ctypes",
        "by-number",
        "by-thread",
        "by-grandchild",
        "by-another-program",
        "by-fresh-python",
    ] {
        assert_eq!(expect(&outcome, EventKind::Write, name).seen, Seen::Kernel);
    }
    assert!(find(&outcome, EventKind::Process, "a process of its own").is_some());
}

#[test]
fn ways_to_hide_are_refused_or_change_nothing() {
    let source = r#"
import ctypes, os, errno
libc = ctypes.CDLL(None, use_errno=True)
print(libc.prctl(4, 0, 0, 0, 0), ctypes.get_errno() == errno.EPERM)
# Lies to the channel of the interpreter's own word, then cuts it.
for fd in range(3, 64):
    try: os.write(fd, b"H1\0" + b"999\0main.py\0os.remove\0/forged"); os.close(fd)
    except OSError: pass
open("after-the-cut", "w")
"#;
    let Some(outcome) = traced(source) else {
        return;
    };
    assert_eq!(outcome.text(), "-1 True\n");
    let hidden = expect(&outcome, EventKind::Refused, "PR_SET_DUMPABLE");
    assert_eq!(
        (hidden.line, hidden.verdict),
        (hidden.line, TraceVerdict::Refused)
    );
    // The kernel's word does not pass through the program.
    assert_eq!(
        expect(&outcome, EventKind::Write, "after-the-cut").seen,
        Seen::Kernel
    );
    assert!(find(&outcome, EventKind::Delete, "forged").is_none());
}

#[test]
fn a_flood_hides_nothing_of_another_kind_and_a_killed_run_still_tells() {
    let source = r#"
import os, socket
for n in range(3000):
    os.close(os.open(f"f{n % 700}", os.O_WRONLY | os.O_CREAT)); os.remove(f"f{n % 700}")
s = socket.socket()
try: s.connect(("198.51.100.1", 80))
except OSError: pass
print("end", flush=True)
while True: os.close(os.open("busy", os.O_WRONLY | os.O_CREAT))
"#;
    let Some((mut sandbox, _)) = Sandbox::start() else {
        return;
    };
    let spec = RunSpec {
        account: Account {
            trace: true,
            ..Account::default()
        },
        time_limit_ms: 8_000,
        ..spec()
    };
    let outcome = sandbox.run(spec, source);
    assert_eq!(outcome.text(), "end\n");
    assert!(outcome.end().timed_out);
    expect(&outcome, EventKind::Network, "198.51.100.1:80");
    let end = outcome.end().trace.as_ref().expect("it was asked for");
    assert!(end.total > 6000 && end.left_out > 0, "{end:?}");
    assert!(outcome.trace.len() <= saferun_frames::MAX_EVENTS);
}
