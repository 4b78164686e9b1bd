//! Promise: what a traced run does is told by the kernel's word, whatever the code tries. More ways to hide are tried beside
//! the supervisor (`sandbox-image/supervisor/tests/trace.rs`); these need the whole container, with its profile.

use saferun_protocol::{
    ChangeKind, EventKind, InputFile, Outcome, Place, RunRequest, RunResult, Seen, TraceEvent,
    TraceVerdict,
};
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

/// Calls that the container's profile refuses before the trace is asked; `docs/effects.md` names them as not seen.
const UNSEEN: &str = r#"
import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "ptrace": 101,
    "process_vm_readv": 310, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248,
    "io_uring_setup": 425, "memfd_create": 319, "open_by_handle_at": 304, "name_to_handle_at": 303, "pidfd_open": 434,
    "fanotify_init": 300, "init_module": 175, "kexec_load": 246, "reboot": 169, "swapon": 167, "clone3": 435,
}
for name, number in NUMBERS.items():
    if platform.machine() == "x86_64":
        result = libc.syscall(number, -1, -1, -1, -1, -1)
        print(name, result, errno.errorcode[ctypes.get_errno()])
print(libc.unshare(0x10000000), libc.ptrace(0, 0, 0, 0))
"#;

#[test]
fn what_the_profile_refuses_reaches_nothing_and_its_name_is_told_by_the_interpreter_alone() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let result = traced(&daemon, UNSEEN);
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    let mut lines: Vec<&str> = result.stdout.lines().collect();
    assert_eq!(lines.pop(), Some("-1 -1"));
    for line in &lines {
        let refused = line.ends_with(" -1 EPERM") || line.ends_with(" -1 ENOSYS");
        assert!(refused, "{line}");
    }
    let events = events(&result);
    for line in &lines {
        let name = line.split(' ').next().unwrap_or_default();
        let seen = events
            .iter()
            .find(|event| event.seen == Seen::Kernel && event.call == name);
        assert_eq!(seen, None, "docs/effects.md says that it is not seen");
    }
    for name in ["unshare", "ptrace"] {
        let told = events
            .iter()
            .find(|event| event.kind == EventKind::Refused && event.what.starts_with(name));
        let told = told.unwrap_or_else(|| panic!("{name}: {events:#?}"));
        assert_eq!(
            (told.seen, told.verdict, told.line),
            (Seen::Program, TraceVerdict::Refused, Some(14))
        );
    }
    assert!(result.story()[0].title.contains("no finding predicted"));
}

/// Written through memory, through a link that turns to and fro, or changed and changed back: what is left in the end is
/// told in both tiers, and what is not left was seen where the kernel's word is there.
#[test]
fn what_was_changed_by_detours_is_found_afterwards() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let source = r#"
import mmap, os, threading
with open("mapped.txt", "r+b") as file:
    mmap.mmap(file.fileno(), 4)[:4] = b"evil"
old = open("restored.txt").read()
open("restored.txt", "w").write("for a moment"); open("restored.txt", "w").write(old)
stop = False
def turn():
    at = 0
    while not stop:
        at += 1
        os.symlink(["aim.txt", os.path.expanduser("~/.bashrc")][at % 2], "next"); os.replace("next", "turning")
os.symlink("aim.txt", "turning")
thread = threading.Thread(target=turn); thread.start()
done = set()
while len(done) < 2:
    try:
        with open("turning", "a") as file:
            file.write("x"); done.add(os.fstat(file.fileno()).st_ino)
    except OSError:
        pass
stop = True
thread.join(); os.remove("turning")
"#;
    for tier in daemon.tiers() {
        let mut request = RunRequest::new(source);
        (request.trace, request.effects) = (true, true);
        request.runtime = Some(tier.to_owned());
        request.policy = Some("permissive".to_owned());
        for path in ["mapped.txt", "restored.txt", "aim.txt"] {
            let mut file = InputFile::default();
            path.clone_into(&mut file.path);
            "Z29vZA==".clone_into(&mut file.base64);
            request.files.push(file);
        }
        let result = daemon.run_request(request);
        assert_eq!(result.exit_code, Some(0), "{tier}: {}", result.stderr);
        let effects = result.effects.as_ref().expect("its effects");
        let mut changed: Vec<(Place, &str)> = effects
            .changes
            .iter()
            .map(|change| (change.place, change.path.as_str()))
            .collect();
        changed.sort_by_key(|(_, path)| *path);
        assert_eq!(
            changed,
            [
                (Place::Home, ".bashrc"),
                (Place::Workspace, "aim.txt"),
                (Place::Workspace, "mapped.txt")
            ],
            "{tier}"
        );
        let trace = result.trace.as_ref().expect("its trace");
        let wrote = |part: &str| {
            let mut events = trace.events.iter();
            events.any(|event| event.kind == EventKind::Write && event.what.contains(part))
        };
        assert!(wrote("restored.txt"), "{tier}: {trace:#?}");
        if tier == "runc" {
            assert!(wrote("/.bashrc (called /workspace/turning)"), "{trace:#?}");
        }
    }
}

/// A path that is long before it comes to the secret, and an address behind many others in one call.
const LONG_WAYS: &str = r#"
import ctypes, os, socket
with open(os.path.expanduser("~/" + "./" * 1000 + ".aws/credentials")) as secret:
    print("read", bool(secret.read()))

class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]

class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(Piece)),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                ("flags", ctypes.c_int)]

class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("len", ctypes.c_uint)]

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("/tmp/receiver")
near = b"\x01\x00/tmp/receiver\0"
far = (2).to_bytes(2, "little") + (443).to_bytes(2, "big") + bytes([192, 0, 2, 77]) + bytes(8)
text = ctypes.create_string_buffer(b"x")
piece = Piece(ctypes.addressof(text), 1)
names = [ctypes.create_string_buffer(near if index < 40 else far) for index in range(60)]
messages = (Message * 60)()
for message, name in zip(messages, names):
    header = message.header
    header.name, header.namelen = ctypes.addressof(name), len(name) - 1
    header.iov, header.iovlen = ctypes.pointer(piece), 1
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ctypes.CDLL(None).sendmmsg(sender.fileno(), messages, 60, 0x40)
"#;

#[test]
fn neither_a_long_path_nor_a_long_list_of_messages_hides_where_it_leads() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let result = traced(&daemon, LONG_WAYS);
    assert_eq!(result.status, Outcome::Completed, "{}", result.stderr);
    assert_eq!(result.stdout, "read True\n");
    let told = |kind: EventKind, what: &str| {
        let mut events = events(&result).iter();
        events.any(|event| event.kind == kind && event.what.contains(what))
    };
    assert!(
        told(EventKind::Secret, "/home/sandbox/.aws/credentials"),
        "{:?}",
        events(&result)
    );
    assert!(
        told(EventKind::Network, "192.0.2.77"),
        "{:?}",
        events(&result)
    );
}

/// A filter that refuses calls by itself would be heeded before the trace is asked (seccomp(2)), by either way to set one.
const OWN_FILTER: &str = r#"
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer((6).to_bytes(2, "little") + bytes(2) + 0x7fff0000.to_bytes(4, "little"))

class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

program = Program(1, ctypes.addressof(code))
print(libc.syscall(317, 1, 0, ctypes.byref(program)), errno.errorcode[ctypes.get_errno()])
print(libc.prctl(22, 2, ctypes.byref(program), 0, 0), errno.errorcode[ctypes.get_errno()])
open("afterwards", "w")
"#;

#[test]
#[cfg(target_arch = "x86_64")]
fn a_filter_of_its_own_is_refused_and_told() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let result = traced(&daemon, OWN_FILTER);
    assert_eq!(result.status, Outcome::Completed, "{}", result.stderr);
    assert_eq!(result.stdout, "-1 EPERM\n-1 EPERM\n");
    for call in ["seccomp: a filter", "prctl: a filter"] {
        let mut events = events(&result).iter();
        let told = events.find(|event| event.what.contains(call));
        let told = told.unwrap_or_else(|| panic!("{call}"));
        assert_eq!(told.kind, EventKind::Refused);
        assert_eq!(told.verdict, TraceVerdict::Refused);
    }
    let mut events = events(&result).iter();
    assert!(
        events.any(|event| event.kind == EventKind::Write && event.what.ends_with("afterwards"))
    );
}

/// Lesser-known calls to signal PID 1 and to become another, and a decoy by links that only lead there for who opens them.
const SIDE_DOORS: &str = r#"
import ctypes, os, platform
libc = ctypes.CDLL(None)
queue, one = {"x86_64": (129, 297), "aarch64": (138, 240)}[platform.machine()]
about = ctypes.create_string_buffer(128)
print(libc.syscall(queue, 1, 9, about), libc.syscall(one, 1, 1, 9, about))
try:
    os.setgroups([0, 27])
except PermissionError:
    print("refused")
libc.setfsuid(0)
libc.setfsgid(0)
print(libc.setfsuid(-1) == os.geteuid(), libc.setfsgid(-1) == os.getegid())
folder = os.open(os.path.expanduser("~/.aws"), os.O_RDONLY | os.O_DIRECTORY)
os.symlink(f"/proc/self/fd/{folder}", "by-number")
os.symlink("/proc/thread-self/cwd/by-number", "by-folder")
print(len(open("by-folder/credentials").read()) > 0)
os.symlink(os.path.expanduser("~/.config/gh"), "down")
print(os.path.exists("down/../gh/hosts.yml") and len(open("down/../gh/hosts.yml").read()) > 0)
"#;

#[test]
fn signals_groups_and_secrets_by_side_doors_are_told() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let result = traced(&daemon, SIDE_DOORS);
    assert_eq!(result.status, Outcome::Completed, "{}", result.stderr);
    assert_eq!(result.stdout, "-1 -1\nrefused\nTrue True\nTrue\nTrue\n");
    let told = |kind: EventKind, what: &str| {
        let mut events = events(&result).iter();
        let event = events.find(|event| event.kind == kind && event.what.contains(what));
        let event = event.unwrap_or_else(|| panic!("{what}: {:#?}", result.trace));
        assert_eq!(event.seen, Seen::Kernel);
        event.verdict
    };
    for what in [
        "rt_sigqueueinfo: a signal to what supervises it",
        "rt_tgsigqueueinfo: a signal to what supervises it",
        "setgroups: to groups 0 27",
        "setfsuid: to become root",
        "setfsgid: to become root",
    ] {
        assert_eq!(told(EventKind::Refused, what), TraceVerdict::Refused);
    }
    for what in [
        "/.aws/credentials (called /workspace/by-folder/credentials)",
        "/.config/gh/hosts.yml (called /workspace/gh/hosts.yml)",
    ] {
        told(EventKind::Secret, what);
    }
    // What no finding foretold says itself that it was refused.
    let story = result.story();
    let surprising = story
        .iter()
        .find(|part| part.title.contains("no finding predicted"));
    let lines = &surprising.expect("surprises").lines;
    assert!(
        lines
            .iter()
            .any(|line| line.text.ends_with("to groups 0 27 (refused)")),
        "{lines:#?}"
    );
}
