//! Promise: none of the ways out in `tests/containment` is open to a program under test, in
//! either tier; and each is a real way, for it is open in an unhardened container (the control).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::Write as _,
    net::TcpListener,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use saferun_protocol::{Outcome, RunRequest};
use saferun_tests::{
    Daemon, docker,
    shown::{ON_PAGES, ON_TERMINALS, Shown, always_in_gvisor},
    text,
};

const PRELUDE: &str = include_str!("../containment/prelude.py");
const ATTEMPTS: &str = concat!(
    include_str!("../containment/attempts.py"),
    include_str!("../containment/surface.py"),
    include_str!("../containment/reach.py"),
);
/// Their control needs the host's namespaces, that of the others has its own.
const ON_HOST: [&str; 4] = [
    "host_loopback",
    "host_abstract",
    "host_process",
    "host_shared_memory",
];
/// The switches for it.
const HOSTS_NAMESPACES: [&str; 3] = ["--network=host", "--ipc=host", "--pid=host"];
const OWN_NAMESPACES: [&str; 1] = ["--network=none"];

/// So many attempts there are at least, and so many of them have a control on any machine that can run the suite.
const ATTEMPTED: usize = 180;
const CONTROLLED: usize = 100;

/// What one attempt found: `open`, or `closed` and why.
type Found = BTreeMap<String, String>;

struct Attempt {
    name: String,
    way: String,
    gvisor: String,
}

/// What the attempts look for on the host: a port, an abstract socket, shared memory, a process.
struct Host {
    port: u16,
    name: String,
    process: String,
    shared: PathBuf,
    _tcp: TcpListener,
    _unix: UnixListener,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.shared);
    }
}

impl Host {
    /// Listens where the attempts look for the host.
    fn new() -> Self {
        let tcp = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let name = format!("saferun-containment-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).expect("an abstract address");
        let shared = Path::new("/dev/shm").join(&name);
        fs::write(&shared, "").expect("shared memory");
        let process = fs::read_to_string("/proc/self/comm").expect("our own name");
        Self {
            shared,
            process: process.trim().to_owned(),
            port: tcp.local_addr().expect("an address").port(),
            _unix: UnixListener::bind_addr(&address).expect("an abstract socket"),
            _tcp: tcp,
            name,
        }
    }

    fn program(&self, control: bool, last: &str) -> String {
        let control = if control { "True" } else { "False" };
        let (port, name, process) = (self.port, &self.name, &self.process);
        format!(
            "{PRELUDE}CONTROL = {control}\nHOST_PORT = {port}\nHOST_ABSTRACT = HOST_FILE = {name:?}\n\
             HOST_PROCESS = {process:?}\n{ATTEMPTS}\n\n{last}\n"
        )
    }
}

fn read(output: &str) -> Found {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("ATTEMPT "))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, found)| (name.to_owned(), found.to_owned()))
        .collect()
}

fn python(mut command: Command, program: &str) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(program.as_bytes())
        .expect("the program is taken");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The switches of a container without our hardening: privileged, or where the engine itself stands in a
/// container that lacks a capability, everything that there is.
fn unhardened(engine: &str, image: &str) -> Vec<String> {
    const NAMES: &str = "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP \
         LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE \
         SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME \
         SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG";
    let python = ["--entrypoint", "/usr/bin/python3", image, "-c", ""];
    let privileged = [&["run", "--rm", "--privileged", "--user", "0"][..], &python].concat();
    if docker(engine, &privileged).status.success() {
        return vec!["--privileged".to_owned()];
    }
    let bound = bounding_set();
    let mut switches: Vec<String> = ["seccomp", "apparmor", "systempaths"]
        .iter()
        .map(|name| format!("--security-opt={name}=unconfined"))
        .collect();
    switches.push("--device-cgroup-rule=a *:* rwm".to_owned());
    for (bit, name) in NAMES.split_whitespace().enumerate() {
        if bound >> bit & 1 == 1 {
            switches.push(format!("--cap-add={name}"));
        }
    }
    for device in ["/dev/fuse", "/dev/kmsg", "/dev/loop-control"] {
        if Path::new(device).exists() {
            switches.push(format!("--device={device}"));
        }
    }
    switches
}

/// The attempts in such a container, as root.
fn control(host: &Host, engine: &str, image: &str, namespaces: &[&str], last: &str) -> Found {
    let mut command = Command::new("docker");
    command.args(["-H", engine, "run", "--rm", "-i", "--user", "0"]);
    command.args(unhardened(engine, image));
    command.args(namespaces);
    command.args(["--entrypoint", "/usr/bin/python3", image, "-"]);
    read(&python(command, &host.program(true, last)))
}

/// What each of these answers on a machine that lacks what it needs besides a right.
const NEEDS_MORE: [(&str, &str, &str); 3] = [
    ("real_time", "EPERM", "the group has no share of real time"),
    ("wake_alarm", "ENOTSUP", "no clock can wake the machine"),
    (
        "host_disk",
        "EPERM",
        "the machine's own root may not open its disk",
    ),
];
/// They need `CAP_SYS_RESOURCE`, which a machine that is itself a container may not have.
const NEEDS_RESOURCES: [&str; 4] = [
    "set_memory_map",
    "raise_limit",
    "escape_oom",
    "write_userns_max",
];
const CAP_SYS_RESOURCE: u32 = 24;

/// Why there is nothing to control, where this machine's kernel or settings do not have what the attempt needs. Such
/// an attempt does not count.
fn absent(name: &str, found: &str) -> Option<&'static str> {
    let code = found.strip_prefix("closed ")?;
    let a_file = ["write_", "read_", "open_", "console_"]
        .iter()
        .any(|kind| name.starts_with(kind))
        || ["loop_control", "host_disk"].contains(&name);
    // A family of sockets without the protocol that is asked for.
    let a_protocol =
        name.starts_with("socket_") && ["EPROTONOSUPPORT", "ESOCKTNOSUPPORT"].contains(&code);
    match code {
        "ENOSYS" => Some("the kernel has no such call"),
        "EAFNOSUPPORT" => Some("the kernel has no such family of sockets"),
        "ENODEV" => Some("the kernel has no such device or file system"),
        "ENOENT" if a_file => Some("the kernel has no such file"),
        "ENXIO" if a_file => Some("the machine has no such device"),
        _ if a_protocol => Some("the kernel has no protocol of this family"),
        _ if NEEDS_RESOURCES.contains(&name) && bounding_set() >> CAP_SYS_RESOURCE & 1 == 0 => {
            Some("no program of the machine can have CAP_SYS_RESOURCE")
        }
        _ => NEEDS_MORE
            .iter()
            .find(|(needs, answer, _)| (*needs, *answer) == (name, code))
            .map(|(_, _, why)| *why),
    }
}

/// What the control found where docs/containment.md was measured, written with it: a line that says which machine
/// that was, then a name and an answer for each attempt that was not open there.
const CONTROLS: &str = "tests/containment/controls.txt";
/// Writes it, and after it the page.
const MEASURE: &str =
    "SAFERUN_WRITE_DOCS=1 cargo test -p saferun-tests --test containment -- --test-threads=1";

fn in_the_workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What decides which attempts have a control: the kernel, the rights that there are at all, and the engine with its
/// control groups.
fn machine(engine: &str) -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    // What follows names who built it.
    let kernel = kernel.trim().split('-').next().unwrap_or_default();
    let says = |args: &[&str]| {
        let said = docker(engine, args);
        assert!(said.status.success(), "{said:?}");
        text(&said.stdout).trim().to_owned()
    };
    let version = says(&["version", "--format", "{{.Server.Version}}"]);
    let groups = says(&["info", "--format", "{{.CgroupVersion}}"]);
    format!(
        "Linux {kernel}, capabilities {:x}, engine {version}, cgroup version {groups}",
        bounding_set()
    )
}

/// The measured controls that did not succeed, and on which machine.
fn uncontrolled() -> (String, Found) {
    let measured = fs::read_to_string(in_the_workspace(CONTROLS)).expect(CONTROLS);
    let (machine, rest) = measured.split_once('\n').expect("a machine");
    let rows = rest.lines().filter_map(|line| line.split_once('\t'));
    let rows = rows.map(|(name, found)| (name.to_owned(), found.to_owned()));
    (machine.to_owned(), rows.collect())
}

/// Compares with what docs/containment.md says, if that was measured on a machine like this one.
fn the_page_says_so(engine: &str, all: &[Attempt], open: &Found) {
    let mut now = Found::new();
    for Attempt { name, .. } in all {
        match open.get(name).map(String::as_str) {
            Some("open") => {}
            Some(found) => {
                let why = absent(name, found).unwrap_or("for no known reason");
                now.insert(name.clone(), format!("{why} ({found})"));
            }
            None => _ = now.insert(name.clone(), "it said nothing".to_owned()),
        }
    }
    if std::env::var_os("SAFERUN_WRITE_DOCS").is_some() {
        let mut measured = machine(engine) + "\n";
        for (name, found) in &now {
            _ = writeln!(measured, "{name}\t{found}");
        }
        fs::write(in_the_workspace(CONTROLS), measured).expect("it is written");
    }
    let (where_measured, stands) = uncontrolled();
    let here = machine(engine);
    if where_measured != here {
        saferun_tests::skipped(&format!(
            "the page of containment is of another machine: {where_measured}; this is {here}"
        ));
        return;
    }
    assert!(
        stands == now,
        "{CONTROLS} and docs/containment.md are not what was measured here now; write them anew: {MEASURE}\n{now:#?}"
    );
}

/// The capabilities that programs of this machine can have at all.
fn bounding_set() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("our own status");
    let bound = status
        .lines()
        .find_map(|line| line.strip_prefix("CapBnd:"))
        .expect("the bounding set");
    u64::from_str_radix(bound.trim(), 16).expect("a mask")
}

fn attempts(host: &Host) -> Vec<Attempt> {
    let mut command = Command::new("python3");
    command.arg("-");
    python(command, &host.program(false, "list_all()"))
        .lines()
        .map(|line| {
            let mut parts = line.split('\t').map(str::to_owned);
            let mut next = || parts.next().expect("three columns");
            Attempt {
                name: next(),
                way: next(),
                gvisor: next(),
            }
        })
        .collect()
}

/// Each attempt as a run of its own.
fn through_the_product(daemon: &Daemon, host: &Host, all: &[Attempt], runtime: &str) -> Found {
    let mut found = Found::new();
    for Attempt { name, .. } in all {
        let mut request = RunRequest::new(host.program(false, &format!("go({name:?})")));
        request.policy = Some("permissive".to_owned());
        request.runtime = Some(runtime.to_owned());
        let result = daemon.run_request(request);
        assert_eq!(result.sandbox.runtime, runtime, "{name}: {result:?}");
        let said = read(&result.stdout);
        let word = match (said.get(name), &result.status) {
            (Some(word), _) => word.clone(),
            (None, Outcome::Signaled) => "closed killed".to_owned(),
            (None, _) => panic!("{name} said nothing: {result:?}"),
        };
        found.insert(name.clone(), word);
    }
    found
}

#[test]
fn i1_no_way_out_is_open_in_either_tier_and_each_is_open_without_hardening() {
    let Some(daemon) = Daemon::start() else {
        return;
    };
    let host = Host::new();
    let all = attempts(&host);
    assert!(all.len() >= ATTEMPTED, "only {} attempts", all.len());

    let image = "saferun/python:latest";
    let engine = saferun_tests::engine().expect("an engine");
    let mut open = control(
        &host,
        &engine,
        image,
        &OWN_NAMESPACES,
        "add_outside_addresses()\ngo_all()",
    );
    for name in ON_HOST {
        open.extend(control(
            &host,
            &engine,
            image,
            &HOSTS_NAMESPACES,
            &format!("go({name:?})"),
        ));
    }
    let runc = through_the_product(&daemon, &host, &all, "runc");
    let gvisor = daemon
        .status()
        .engine
        .runtimes
        .iter()
        .any(|name| name == "runsc")
        .then(|| through_the_product(&daemon, &host, &all, "runsc"));

    if gvisor.is_none() {
        saferun_tests::skipped("the engine offers no gVisor");
    }
    let mut wrong = String::new();
    let mut controlled = 0;
    for Attempt {
        name,
        gvisor: expected,
        ..
    } in &all
    {
        match open.get(name).map(String::as_str) {
            Some("open") => controlled += 1,
            Some(found) if absent(name, found).is_some() => {
                eprintln!(
                    "no control of {name}, which does not count: this machine answers {found}"
                );
            }
            found => _ = writeln!(wrong, "control {name}: {found:?}"),
        }
        if !runc[name].starts_with("closed") {
            _ = writeln!(wrong, "runc {name}: {}", runc[name]);
        }
        if let Some(found) = &gvisor {
            let as_stated = found[name].split(' ').next() == expected.split([' ', ':']).next();
            if !as_stated {
                _ = writeln!(wrong, "runsc {name}: {} but stated {expected}", found[name]);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    the_page_says_so(&engine, &all, &open);
    assert!(
        controlled >= CONTROLLED,
        "only {controlled} attempts have a control"
    );
}

/// The table in docs/, from what the suite states and what its controls found. `SAFERUN_WRITE_DOCS=1` writes it.
#[test]
fn the_table_of_ways_out_is_current() {
    let (machine, uncontrolled) = uncontrolled();
    let all = attempts(&Host::new());
    let count = all.len() - uncontrolled.len();
    let mut table = format!(
        "# Ways out that are tried\n\nGenerated from `tests/containment`. Each is a program that runs through SafeRun in both \
         tiers, where a test demands\nwhat stands here, and in a container without hardening: its control, for an attempt that \
         fails everywhere shows nothing.\nWritten anew, with the controls measured on the machine at hand, by\n\
         `{MEASURE}`.\n\n\
         \"Unhardened\" is what the controls found on {machine}:\n{count} of {} were open. The others have **no control** \
         there, for the reason that is said; that they are closed says less.\n\
         \"open\" under gVisor means: gVisor answers the call inside its own kernel, out of reach of the host's.\n\n\
         | attempt | tries to | unhardened | runc | runsc (gVisor) |\n|---|---|---|---|---|\n",
        all.len()
    );
    for Attempt { name, way, gvisor } in &all {
        let control = match uncontrolled.get(name) {
            Some(why) => format!("no control: {why}"),
            None => "open".to_owned(),
        };
        _ = writeln!(
            table,
            "| `{name}` | {way} | {control} | closed | {gvisor} |"
        );
    }
    table.push_str(
        "\n## By what is shown\n\nWhat a program prints and names, in order to act on whoever looks at it: on a terminal (after `run`, `scan`, `show`,\n\
         `logs`, `history`), on the page of `export --html`, in an editor's hovers and diagnostics. Raw, each acts: on a terminal by `run --raw`,\n\
         on a page that does not escape. Every one is printed by a run under runc. Under gVisor the tests print all that are for pages and\n\
         every third that is for terminals, for what is shown goes the same way in either tier; with `SAFERUN_TEST_LONG=1` they\n\
         print the others there, too: \"closed (long tests)\". Editors show the source alone, which no tier touches.\n\n\
         | attempt | tries to | raw | runc | runsc (gVisor) |\n|---|---|---|---|---|\n",
    );
    let on_terminals = ON_TERMINALS.iter().enumerate();
    let on_terminals = on_terminals.map(|(place, attack)| (attack, always_in_gvisor(place)));
    let on_pages = ON_PAGES.iter().map(|attack| (attack, true));
    for (Shown { name, tries, .. }, always) in on_terminals.chain(on_pages) {
        let gvisor = if always {
            "closed"
        } else {
            "closed (long tests)"
        };
        _ = writeln!(table, "| `{name}` | {tries} | open | closed | {gvisor} |");
    }
    let path = in_the_workspace("docs/containment.md");
    if std::env::var_os("SAFERUN_WRITE_DOCS").is_some() {
        fs::write(&path, &table).expect("the table is written");
    }
    let stands = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stands == table,
        "docs/containment.md is not current; write it anew: {MEASURE}"
    );
    let unknown: Vec<&String> = uncontrolled
        .keys()
        .filter(|name| !all.iter().any(|attempt| &attempt.name == *name))
        .collect();
    assert!(unknown.is_empty(), "{CONTROLS} names {unknown:?}");
}

/// An attempt with a mistake in it must not pass for a way that is closed.
#[test]
fn a_broken_attempt_is_told_apart_from_one_that_is_refused() {
    let tries = "
@attempt('fail by a mistake')
def mistaken(): child(lambda: undefined)
@attempt('fail by a mistake of its own process')
def mistaken_here(): undefined
@attempt('be refused')
def refused(): child(lambda: os.open('/nonexistent', 0))
@attempt('be refused in words')
def refused_in_words():
    def work(): raise Refused('none')
    child(work)
@attempt('be killed')
def killed(): child(lambda: os.kill(os.getpid(), 9))
@attempt('succeed')
def succeeds(): child(lambda: None)
for name in list(ATTEMPTS): go(name)
";
    let mut command = Command::new("python3");
    command.arg("-");
    let found = read(&python(command, &format!("{PRELUDE}{tries}")));
    let name_error = "broken NameError: name 'undefined' is not defined";
    for (name, word) in [
        ("mistaken", name_error),
        ("mistaken_here", name_error),
        ("refused", "closed ENOENT"),
        ("refused_in_words", "closed none"),
        ("killed", "closed signal 9"),
        ("succeeds", "open"),
    ] {
        assert_eq!(found[name], word, "{name}");
    }
}
