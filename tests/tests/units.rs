//! Promise: systemd takes our units without a word, hands the daemon its socket, and is told when it is ready, alive
//! and stopping. No engine is needed for that.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::net::{UnixDatagram, UnixStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use saferun_tests::{SystemJournal, bin, pause, skipped, text};
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("saferun-units-")
        .tempdir()
        .expect("a folder")
}

fn ctl(home: &Path, args: &[&str]) -> Output {
    Command::new(bin("saferunctl"))
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME")
        .env_remove("SAFERUN_STATE_DIR")
        .env("SAFERUN_DAEMON", bin("saferund"))
        .stdin(Stdio::null())
        .output()
        .expect("saferunctl starts")
}

fn installed(folder: &Path, system: bool) {
    let into = folder.display().to_string();
    let mut args = vec!["daemon", "install", "--into", &into];
    args.extend(system.then_some("--system"));
    let output = ctl(folder, &args);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn systemd_has_nothing_to_say_about_the_units() {
    for (system, scope) in [(true, "--system"), (false, "--user")] {
        let folder = folder();
        installed(folder.path(), system);
        let output = Command::new("systemd-analyze")
            .args([scope, "verify"])
            .arg(folder.path().join("saferund.service"))
            .arg(folder.path().join("saferund.socket"))
            .env("XDG_RUNTIME_DIR", folder.path())
            .output()
            .expect("systemd-analyze starts: apt-get install systemd");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(said, "", "{scope}");
        assert!(output.status.success(), "{scope}");
    }
}

#[test]
fn the_systems_service_is_exposed_to_less_than_3() {
    let folder = folder();
    installed(folder.path(), true);
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(folder.path().join("saferund.service"))
        .output()
        .expect("systemd-analyze starts");
    let said = text(&output.stdout);
    let level = said
        .lines()
        .find_map(|line| line.split_once("Overall exposure level for saferund.service: "))
        .and_then(|(_, rest)| rest.split(' ').next()?.parse::<f64>().ok());
    let level = level.unwrap_or_else(|| panic!("{said}{}", text(&output.stderr)));
    assert!(level < 3.0, "{said}");
}

#[test]
fn install_says_what_it_does_twice_changes_nothing_and_uninstall_takes_only_its_own() {
    let home = folder();
    let units = home.path().join(".config/systemd/user");
    let first = ctl(home.path(), &["daemon", "install"]);
    let said = text(&first.stderr);
    if Path::new("/run/systemd/system").is_dir() {
        // A manager that runs is asked, and may not be the test's: what it answers is not ours to check.
        assert!(said.contains("systemctl --user daemon-reload"), "{said}");
    } else {
        assert!(first.status.success(), "{said}");
        assert!(said.contains("systemd does not run here"), "{said}");
        assert!(
            said.contains("  systemctl --user enable --now saferund.socket\n"),
            "{said}"
        );
    }
    let service = fs::read_to_string(units.join("saferund.service")).expect("the unit");
    let program = bin("saferund").canonicalize().expect("the program");
    let started = service
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .expect("a program");
    assert_eq!(
        Path::new(started).canonicalize().expect("it is there"),
        program
    );
    let again = ctl(home.path(), &["daemon", "install"]);
    assert!(
        !text(&again.stderr).contains("wrote "),
        "{}",
        text(&again.stderr)
    );
    // Somebody changes one: it is theirs now.
    let socket = units.join("saferund.socket");
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(&socket)
        .expect("the unit");
    file.write_all(b"# mine\n").expect("written");
    let refused = ctl(home.path(), &["daemon", "install"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
    let gone = ctl(home.path(), &["daemon", "uninstall"]);
    assert!(gone.status.success(), "{}", text(&gone.stderr));
    assert!(!units.join("saferund.service").exists());
    assert!(
        fs::read_to_string(&socket)
            .expect("left alone")
            .ends_with("# mine\n")
    );
}

/// A program that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn settings(command: &mut Command, folder: &Path) {
    for (name, value) in [
        ("SAFERUN_SOCKET", "s.sock"),
        ("SAFERUN_STATE_DIR", "state"),
        ("SAFERUN_CONFIG_DIR", "config"),
        ("SAFERUN_SYSTEM_CONFIG_DIR", "etc"),
    ] {
        command.env(name, folder.join(value));
    }
    command
        .env("SAFERUN_ENGINE", "unix:///nonexistent/engine.sock")
        .env("SAFERUN_INIT", bin("saferun-init"))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
}

#[test]
fn the_daemon_takes_the_socket_that_systemd_holds_at_the_first_connection() {
    let folder = folder();
    let socket = folder.path().join("s.sock");
    let mut command = Command::new("systemd-socket-activate");
    command.arg("--listen").arg(&socket);
    for name in [
        "SAFERUN_SOCKET",
        "SAFERUN_STATE_DIR",
        "SAFERUN_CONFIG_DIR",
        "SAFERUN_SYSTEM_CONFIG_DIR",
        "SAFERUN_ENGINE",
        "SAFERUN_INIT",
    ] {
        command.args(["--setenv", name]);
    }
    command.arg(bin("saferund"));
    settings(&mut command, folder.path());
    command.stderr(Stdio::piped());
    let mut child = Ended(command.spawn().expect("systemd-socket-activate starts"));
    let mut lines = BufReader::new(child.0.stderr.take().expect("its words")).lines();
    let listening = lines.next().expect("a line").expect("text");
    assert!(listening.contains("Listening on"), "{listening}");
    assert!(!folder.path().join("state").exists(), "nobody has come yet");
    // The first command has the daemon started, and is answered by it.
    let status = Command::new(bin("saferunctl"))
        .args(["daemon", "status"])
        .env("SAFERUN_SOCKET", &socket)
        .env("SAFERUN_NO_START", "1")
        .output()
        .expect("saferunctl starts");
    // systemd-socket-activate becomes the daemon: its pid is the daemon's.
    let wanted = format!("daemon runs, pid {}", child.0.id());
    let said = text(&status.stdout);
    assert!(said.starts_with(&wanted), "{said}{}", text(&status.stderr));
    let stopped = Command::new(bin("saferunctl"))
        .args(["daemon", "stop"])
        .env("SAFERUN_SOCKET", &socket)
        .output()
        .expect("saferunctl starts");
    assert!(stopped.status.success(), "{}", text(&stopped.stderr));
    assert!(child.0.wait().expect("it ends").success());
    // The socket is systemd's, who goes on listening there.
    assert!(socket.exists());
}

#[test]
fn the_service_manager_is_told_of_ready_watchdog_and_stopping() {
    let folder = folder();
    let notify = folder.path().join("notify");
    let told = UnixDatagram::bind(&notify).expect("a socket");
    told.set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a deadline");
    let next = || {
        let mut bytes = [0; 512];
        let count = told.recv(&mut bytes).expect("a word within 30 s");
        text(&bytes[..count]).trim_end().to_owned()
    };
    let mut command = Command::new(bin("saferund"));
    settings(&mut command, folder.path());
    let child = command
        .env("NOTIFY_SOCKET", &notify)
        .env("WATCHDOG_USEC", "200000")
        .stderr(Stdio::null())
        .spawn();
    let mut child = Ended(child.expect("saferund starts"));
    assert_eq!(next(), "READY=1");
    // Ready means that it answers.
    UnixStream::connect(folder.path().join("s.sock")).expect("it listens");
    for _ in 0..3 {
        assert_eq!(next(), "WATCHDOG=1");
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.0.id()).expect("a pid"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("the signal");
    let mut word = next();
    while word == "WATCHDOG=1" {
        word = next();
    }
    assert_eq!(word, "STOPPING=1");
    let deadline = Instant::now() + Duration::from_secs(30);
    while child.0.try_wait().expect("its state").is_none() {
        assert!(Instant::now() < deadline, "it does not stop");
        pause();
    }
}

/// Has the system journal's files be those of `$1`, and systemd run with the service installed, for `$4` alone.
const WITH_JOURNAL: &str = r#"set -e
mount --bind "$1" "$2"
mount -t tmpfs none /run/systemd
mkdir /run/systemd/system
mount -t tmpfs none /run/log
mkdir -p "/run/log/journal/$3"
mount --bind "$2" "/run/log/journal/$3"
mount -t tmpfs none /etc/systemd/system
touch /etc/systemd/system/saferund.service
exec "$4" daemon logs -n 50"#;

#[test]
fn the_log_of_a_unit_is_what_the_system_journal_has_of_it_and_acts_on_no_terminal() {
    let Some(journal) = SystemJournal::start() else {
        return;
    };
    let alone = ["unshare", "--mount", "--propagation", "private"];
    let mut probe = Command::new(alone[0]);
    let probe = probe
        .args(&alone[1..])
        .args(["mount", "-t", "tmpfs", "none", "/mnt"]);
    if !probe.output().is_ok_and(|output| output.status.success()) {
        skipped("the log of a unit needs a mount namespace");
        return;
    }
    let socket = UnixDatagram::unbound().expect("a socket");
    for (unit, message) in [
        ("saferund.service", "first of ours"),
        ("other.service", "of another"),
        ("saferund.service", "ours \x1b]0;owned\x07\x1b[2J"),
        ("saferund.service", "last of ours"),
    ] {
        let entry = format!("MESSAGE={message}\nPRIORITY=6\nOBJECT_SYSTEMD_UNIT={unit}\n");
        let sent = socket.send_to(entry.as_bytes(), journal.socket());
        sent.expect("the journal takes it");
    }
    let (home, files) = (folder(), folder());
    let log = || {
        let output = Command::new(alone[0])
            .args(&alone[1..])
            .args(["sh", "-c", WITH_JOURNAL, "sh"])
            .args([journal.files(), files.path()])
            .arg(SystemJournal::machine())
            .arg(bin("saferunctl"))
            .env("HOME", home.path())
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null())
            .output()
            .expect("unshare starts");
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    // It writes what it was sent soon, not at once.
    let mut said = log();
    for _ in 0..500 {
        if said.contains("last of ours") {
            break;
        }
        pause();
        said = log();
    }
    assert!(
        said.contains("first of ours") && said.contains("last of ours"),
        "{said}"
    );
    assert!(
        !said.contains("of another") && !said.contains('\x1b'),
        "{said:?}"
    );
}
