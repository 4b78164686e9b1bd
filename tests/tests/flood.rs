//! Promise: however much a traced program does, none of its acts is hidden by the number of the others, or the story of
//! the run says that one may be.

use saferun_protocol::{ChangeKind, EventKind, InputFile, RunRequest};
use saferun_tests::Daemon;

/// Floods of acts that differ, with one act of the same kind among or after each. Each call is made without its effect.
const FLOODS: &str = r#"
import ctypes, os, socket, subprocess
libc = ctypes.CDLL(None)

def flood(act, count):
    for number in range(count):
        act(number)

def write(number):
    libc.open(b"/tmp/none/%d" % number, os.O_WRONLY)

def start(number):
    arguments = (ctypes.c_char_p * 3)(b"none", b"%d" % number, None)
    libc.execv(b"/none", arguments)

def connect(number):
    with socket.socket() as one:
        one.connect_ex(("127.0.0.1", 1024 + number))

def look(number):
    libc.open(b"/tmp/none/%d.pem" % number, os.O_RDONLY)

def refused(number):
    libc.open(b"/etc/%d" % number, os.O_WRONLY)

def remove(number):
    libc.unlink(b"/tmp/%d/one" % number)

flood(write, 100_000)
with open(os.path.expanduser("~/.bashrc"), "a") as rc:
    rc.write("alias ls=true\n")
flood(refused, 1000)
flood(start, 1000)
subprocess.run(["/bin/sh", "-c", "true"])
flood(start, 1000)
with socket.socket() as far:
    far.connect_ex(("192.0.2.7", 443))
flood(connect, 1000)
with open(os.path.expanduser("~/.aws/credentials")) as secret:
    print(len(secret.read()) > 0)
flood(look, 1000)
flood(remove, 1000)
os.remove("kept.txt")
flood(lambda number: remove(number + 1000), 1000)
"#;

#[test]
fn a_flood_hides_no_act_of_its_own_kind_or_the_story_says_that_it_may() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let _ = daemon.image();
    let mut request = RunRequest::new(FLOODS);
    (request.trace, request.effects) = (true, true);
    request.runtime = Some("runc".to_owned());
    request.limits.time_ms = Some(240_000);
    let mut file = InputFile::default();
    "kept.txt".clone_into(&mut file.path);
    "eA==".clone_into(&mut file.base64);
    request.files.push(file);
    let result = daemon.run_request(request);
    assert_eq!(result.exit_code, Some(0), "{}", result.stderr);
    assert_eq!(result.stdout, "True\n");
    let trace = result.trace.as_ref().expect("its trace");
    assert_eq!(trace.unavailable, None);
    let told = &trace.events;
    assert!(told.len() <= 2000, "{}", told.len());
    for (kind, act) in [
        (EventKind::Write, "/home/sandbox/.bashrc"),
        (EventKind::Write, "/tmp/none/0"),
        (EventKind::Write, "/tmp/none/99999"),
        (EventKind::Process, "/bin/sh -c true"),
        (EventKind::Network, "192.0.2.7:443"),
        (EventKind::Secret, "/home/sandbox/.aws/credentials"),
    ] {
        let found = told
            .iter()
            .any(|one| one.kind == kind && one.what.contains(act));
        assert!(found, "{act}");
    }
    // Each removal in a folder of its own: the one that counts is one of many, and the story claims nothing of it.
    let lost = |kind| {
        trace
            .left_out_by_kind
            .get(&kind)
            .copied()
            .unwrap_or_default()
    };
    assert!(
        lost(EventKind::Write) > 99_000,
        "{:?}",
        trace.left_out_by_kind
    );
    assert!(
        lost(EventKind::Delete) > 1_500,
        "{:?}",
        trace.left_out_by_kind
    );
    assert_eq!(trace.left_out_by_kind.values().sum::<u64>(), trace.left_out);
    let counted: u64 = told.iter().map(|one| u64::from(one.count)).sum();
    assert_eq!(counted + trace.left_out, trace.total);
    let notes: Vec<String> = result
        .story()
        .into_iter()
        .filter_map(|part| part.note)
        .collect();
    let removals = format!("{} removals", lost(EventKind::Delete));
    assert!(
        notes.len() == 1 && notes[0].contains(&removals) && notes[0].ends_with("proves nothing"),
        "{notes:?}"
    );
    // What became of the file is told whatever the trace kept.
    let effects = result.effects.expect("its effects");
    let mut changes = effects
        .changes
        .iter()
        .map(|change| (change.path.as_str(), change.kind));
    assert!(changes.any(|change| change == ("kept.txt", ChangeKind::Deleted)));
}
