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

/// The interpreter says nothing of `mkfifo`: it has no line, not that of what was said before.
#[test]
fn a_call_that_the_interpreter_says_nothing_of_has_no_line() {
    let source = "import os\nos.mkdir('folder')\nos.chmod('folder', 0o700)\nos.mkfifo('pipe')\nx = 1\nos.kill(1, 0)\n";
    let Some(outcome) = traced(source) else {
        return;
    };
    for (kind, part, line) in [
        (EventKind::Write, "/pipe", None),
        (
            EventKind::Refused,
            "a signal to what supervises it",
            Some(6),
        ),
    ] {
        let event = expect(&outcome, kind, part);
        assert_eq!(event.line, line, "{:#?}", outcome.trace);
    }
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
    // The source begins with a line end.
    let at = (hidden.line, hidden.verdict, hidden.seen);
    assert_eq!(at, (Some(4), TraceVerdict::Refused, Seen::Kernel));
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

/// Each row reaches a file or a process by another way; what the trace must say of it follows. Written for `x86_64`, whose
/// numbers it uses where the C library has no function.
const DETOURS: &str = r#"
import ctypes, mmap, os, shutil
libc = ctypes.CDLL(None, use_errno=True)
call = libc.syscall
W = os.O_WRONLY | os.O_CREAT

# A file without a name, which gets one later.
fd = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
print("linkat", libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, b"by-tmpfile", 0x400))  # AT_SYMLINK_FOLLOW
# Opened to be read, opened again by its descriptor to be written.
open("reopened", "w").close()
read = os.open("reopened", os.O_RDONLY)
again = os.open(f"/proc/self/fd/{read}", os.O_RDWR)
os.ftruncate(again, 4096)
# Written through memory.
mmap.mmap(again, 4096)[:4] = b"evil"
# struct open_how: flags, mode, RESOLVE_BENEATH.
how = (ctypes.c_uint64 * 3)(W, 0o600, 8)
print("openat2", call(437, -100, b"by-openat2", how, 24) >= 0)
# RENAME_EXCHANGE.
open("left", "w").close(); open("right", "w").close()
print("renameat2", call(316, -100, b"left", -100, b"right", 2))
# A link to a folder, and through it.
os.mkdir("real"); os.symlink("real", "detour")
open("detour/through-link", "w").close()
# There and back: nothing is left, and it was seen.
old = open("reopened", "rb").read()
open("there-and-back", "w").close(); os.remove("there-and-back")
# What is said of a file, without opening it.
os.chmod(read, 0o640); os.utime("left", (0, 0)); os.chown("right", -1, os.getgid())
try: os.setxattr("left", "user.x", b"1")
except OSError: pass
# Programs by a descriptor, and children by each door.
true = os.open("/bin/true", os.O_RDONLY)
argv = (ctypes.c_char_p * 2)(b"true", None)
for door in (57, 58):  # fork, vfork
    child = call(door) if door == 57 else os.posix_spawn("/bin/true", ["true"], {})
    if child == 0:
        call(322, true, b"", argv, None, 0x1000)  # execveat, AT_EMPTY_PATH
        os._exit(1)
    os.waitpid(child, 0)
print("clone3", call(435, ctypes.create_string_buffer(88), 88), ctypes.get_errno())
"#;

#[test]
fn detours_to_a_file_or_a_process_are_seen() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let Some(outcome) = traced(DETOURS) else {
        return;
    };
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    // ENOSYS: its flags are out of the filter's sight, and callers fall back to clone.
    assert_eq!(
        outcome.text(),
        "linkat 0\nopenat2 True\nrenameat2 0\nclone3 -1 38\n",
        "{stderr}"
    );
    for (kind, part) in [
        (EventKind::Write, "/by-tmpfile"),
        (EventKind::Write, "/reopened (called /proc/self/fd/"),
        (EventKind::Write, "/by-openat2"),
        (EventKind::Delete, "/left to "),
        (EventKind::Write, "/detour to real"),
        (EventKind::Write, "/real/through-link (called "),
        (EventKind::Write, "/there-and-back"),
        (EventKind::Delete, "/there-and-back"),
        (EventKind::Write, "/reopened"),
        (EventKind::Write, "/left"),
        (EventKind::Write, "/right"),
    ] {
        assert_eq!(expect(&outcome, kind, part).seen, Seen::Kernel);
    }
    for call in ["openat2", "renameat2", "linkat", "execveat", "fork"] {
        let mut calls = outcome.trace.iter().map(|event| event.call.as_str());
        assert!(calls.any(|one| one == call), "{call}: {:#?}", outcome.trace);
    }
}

#[test]
fn a_secret_by_another_name_is_a_secret() {
    let source = r#"
import os
def make(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file: file.write("decoy")
make("a/id_rsa"); make("b/id_ed25519"); make("c/.env"); make("d/credentials.json")
# By a symbolic link, by a hard link, by moving it away, by its folder's descriptor.
os.symlink("a/id_rsa", "one"); open("one").read()
os.link("b/id_ed25519", "two"); open("two").read()
os.rename("c/.env", "three"); open("three").read()
folder = os.open("d", os.O_RDONLY)
open(f"/proc/self/fd/{folder}/credentials.json").read()
# By a link that leads through the opener's own descriptor, and upwards from where a link leads.
make("e/id_rsa"); make("f/.env")
plain = os.open("e/id_rsa", os.O_RDONLY)
os.symlink(f"/proc/self/fd/{plain}", "four"); open("four").read()
os.mkdir("f/below"); os.symlink("f/below", "five"); open("five/../.env").read()
"#;
    let Some(outcome) = traced(source) else {
        return;
    };
    let secrets: Vec<&TraceEvent> = outcome
        .trace
        .iter()
        .filter(|event| event.kind == EventKind::Secret)
        .collect();
    for part in ["/a/id_rsa (called ", "/b/id_ed25519", "/c/.env", "/fd/"] {
        assert!(
            secrets.iter().any(|event| event.what.contains(part)),
            "{part}: {secrets:#?}"
        );
    }
    for part in ["/e/id_rsa (called /", "/f/.env (called /"] {
        assert!(
            secrets.iter().any(|event| event.what.contains(part)),
            "{part}: {secrets:#?}"
        );
    }
    // Those who make a secret have found none yet: each was looked for once more.
    let by_rename = secrets
        .iter()
        .filter(|event| event.what.ends_with("/c/.env"));
    let looked: u32 = by_rename.map(|event| event.count).sum();
    assert!(looked > 1, "{secrets:#?}");
}

#[test]
fn messages_signals_and_identities_that_are_tried_are_told() {
    let source = r#"
import os, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try: s.sendmsg([b"x"], [], 0, ("192.0.2.55", 5555))
except OSError: pass
left, right = socket.socketpair()
left.sendmsg([b"own"])
if os.fork() == 0:
    import ctypes, platform
    libc = ctypes.CDLL(None)
    try: os.kill(1, 0)
    except OSError: pass
    queue, one = {"x86_64": (129, 297), "aarch64": (138, 240)}[platform.machine()]
    about = ctypes.create_string_buffer(128)
    libc.syscall(queue, 1, 0, about)
    libc.syscall(one, 1, 1, 0, about)
    try: os.setgroups([23456])
    except OSError: pass
    for own in (os.geteuid(), -1): libc.setfsuid(own)
    libc.setfsuid(34567)
    libc.setfsgid(45678)
    os.setuid(os.getuid())
    try: os.setresuid(-1, 12345, -1)
    except OSError: pass
    os._exit(0)
os.wait()
import ctypes
ctypes.CDLL(None).mount
for family in (socket.AF_PACKET, socket.AF_NETLINK):
    try: socket.socket(family, socket.SOCK_RAW).close()
    except OSError: pass
print(right.recv(9), len(os.listdir("/proc/self/task")))
"#;
    let Some(outcome) = traced(source) else {
        return;
    };
    let stderr = String::from_utf8_lossy(&outcome.stderr);
    assert_eq!((outcome.text().as_str(), &*stderr), ("b'own' 1\n", ""));
    let sent = expect(&outcome, EventKind::Network, "192.0.2.55:5555");
    assert_eq!((sent.call.as_str(), sent.line), ("sendmsg", Some(4)));
    for told in [
        "kill: a signal to what supervises it",
        "rt_sigqueueinfo: a signal to what supervises it",
        "rt_tgsigqueueinfo: a signal to what supervises it",
        "setresuid: to become id 12345",
        "setgroups: to groups 23456",
        "setfsuid: to become id 34567",
        "setfsgid: to become id 45678",
    ] {
        expect(&outcome, EventKind::Refused, told);
    }
    let mount = expect(&outcome, EventKind::Refused, "mount of the C library");
    assert_eq!((mount.seen, mount.line), (Seen::Program, Some(28)));
    expect(&outcome, EventKind::Refused, "socket of family 17, type 3");
    let refused = outcome
        .trace
        .iter()
        .filter(|event| event.kind == EventKind::Refused);
    assert_eq!(refused.count(), 10, "{:#?}", outcome.trace);
}
