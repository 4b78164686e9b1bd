//! Promise: what a traced run does is told by the kernel's word, whatever the code tries. More ways to hide are tried beside
//! the supervisor (`sandbox-image/supervisor/tests/trace.rs`); these need the whole container, with its profile.

use saferun_protocol::{ChangeKind, EventKind, Outcome, RunRequest, RunResult, TraceEvent};
use saferun_tests::Daemon;

fn traced(daemon: &Daemon, source: &str) -> RunResult {
    let mut request = RunRequest::new(source);
    request.trace = true;
    request.effects = true;
    request.runtime = Some("runc".to_owned());
    request.policy = Some("permissive".to_owned());
    daemon.run_request(request)
}

fn events(result: &RunResult) -> &[TraceEvent] {
    let trace = result.trace.as_ref().expect("its trace");
    assert_eq!(trace.unavailable, None);
    &trace.events
}

/// Each of these opens a file without the call that the trace waits for. The child may die of it; no file may be there.
const OTHER_DOORS: &str = r#"
import ctypes, errno, mmap, os, platform
libc = ctypes.CDLL(None, use_errno=True)
print("io_uring", libc.syscall(425, 8, ctypes.create_string_buffer(120)), errno.errorcode[ctypes.get_errno()])

def apart(name, act):
    child = os.fork()
    if child == 0:
        act()
        os._exit(0)
    os.waitpid(child, 0)
    print(name, os.path.exists(name))

def x32():
    libc.syscall(0x40000000 | 257, -100, b"by-x32", 0o101, 0o600)

def int80():
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, 4096, 7, 0x62, -1, 0)  # private, anonymous, below 4 GiB
    name = at + 64
    code = b"\x53\xb8\x05\x00\x00\x00\xbb" + name.to_bytes(4, "little")
    code += b"\xb9\x41\x00\x00\x00\xba\x80\x01\x00\x00\xcd\x80\x5b\xc3"
    ctypes.memmove(at, code, len(code))
    ctypes.memmove(name, b"by-int80\0", 9)
    ctypes.CFUNCTYPE(ctypes.c_int)(at)()

if platform.machine() == "x86_64":
    apart("by-x32", x32)
    apart("by-int80", int80)
else:
    print("by-x32 False\nby-int80 False")
open("by-the-door", "w")
"#;

#[test]
fn rings_and_calls_of_another_width_open_nothing_unseen() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let result = traced(&daemon, OTHER_DOORS);
    assert_eq!(result.status, Outcome::Completed, "{}", result.stderr);
    let lines: Vec<&str> = result.stdout.lines().collect();
    let ring = lines.first().copied().unwrap_or_default();
    assert!(
        ["io_uring -1 EPERM", "io_uring -1 ENOSYS"].contains(&ring),
        "{ring}"
    );
    assert_eq!(lines[1..], ["by-x32 False", "by-int80 False"]);
    let door = events(&result)
        .iter()
        .find(|event| event.what.ends_with("by-the-door"));
    assert!(door.is_some(), "{:?}", result.trace);
    let effects = result.effects.expect("its effects");
    let paths: Vec<&str> = effects
        .changes
        .iter()
        .map(|change| change.path.as_str())
        .collect();
    assert_eq!(paths, ["by-the-door"]);
}

/// A thread changes the name between the look and the call: the name may be the other one, the act is never missing,
/// and what was made in the workspace is told by looking at it afterwards.
#[test]
fn a_name_that_changes_under_the_look_hides_no_act() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let source = r#"
import ctypes, os, threading
libc = ctypes.CDLL(None)
name = ctypes.create_string_buffer(b"a-raced")
stop = False
def flip():
    while not stop:
        name[0] = b"b"
        name[0] = b"a"
thread = threading.Thread(target=flip); thread.start()
for _ in range(300):
    os.close(libc.open(name, os.O_WRONLY | os.O_CREAT, 0o600))
stop = True
thread.join()
"#;
    let result = traced(&daemon, source);
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let raced = events(&result)
        .iter()
        .filter(|event| event.kind == EventKind::Write && event.what.ends_with("-raced"));
    let seen: u32 = raced.map(|event| event.count).sum();
    assert_eq!(seen, 300, "{:?}", result.trace);
    let effects = result.effects.expect("its effects");
    assert!(!effects.changes.is_empty() && effects.complete);
    for change in &effects.changes {
        assert_eq!(change.kind, ChangeKind::Created);
        assert!(
            ["a-raced", "b-raced"].contains(&change.path.as_str()),
            "{}",
            change.path
        );
    }
}
