//! Promise: an engine that remaps users is refused by name, before any container of ours is in it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use saferun_tests::{Daemon, docker, pause, skipped, text};
use tempfile::TempDir;

/// Starts the engine with ranges of ids that only it sees: those of the machine stay as they are.
const START: &str = r#"
mount --bind "$1/subuid" /etc/subuid
mount --bind "$1/subgid" /etc/subgid
exec dockerd --config-file "$1/daemon.json" --iptables=false --bridge=none --data-root "$1/data" \
  --exec-root "$1/exec" --pidfile "$1/pid" -H "unix://$1/docker.sock" --userns-remap=nobody:nogroup
"#;

/// An engine that remaps users, in namespaces of its own, with which all that it starts and mounts ends.
struct Remapping {
    child: Child,
    folder: TempDir,
}

impl Remapping {
    /// Starts it, or says why not.
    fn start() -> Option<Self> {
        let found = Command::new("dockerd").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            skipped("there is no dockerd");
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            skipped("only root starts an engine that remaps users");
            return None;
        }
        for (which, why) in [
            (&["--user"][..], "there are no user namespaces here"),
            (
                &["--mount", "--pid", "--fork", "--mount-proc"],
                "namespaces may not be made here",
            ),
        ] {
            let made = Command::new("unshare").args(which).arg("true").output();
            if !made.is_ok_and(|output| output.status.success()) {
                skipped(why);
                return None;
            }
        }
        for list in ["/etc/subuid", "/etc/subgid"] {
            if !std::path::Path::new(list).is_file() {
                skipped("there are no lists of subordinate ids to lay others over");
                return None;
            }
        }
        let folder = tempfile::Builder::new()
            .prefix("saferun-remap-")
            .tempdir()
            .expect("a folder");
        // The remapped root has to come through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("its mode");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("subuid"), "nobody:100000:65536\n").expect("a list");
        fs::write(at("subgid"), "nobody:100000:65536\nnogroup:100000:65536\n").expect("a list");
        fs::write(at("daemon.json"), "{}").expect("settings");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid"])
            .args(["--fork", "--kill-child", "--mount-proc", "--"])
            .args(["sh", "-euc", START, "sh"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("log")).expect("a log"))
            .spawn()
            .expect("setpriv starts");
        let mut engine = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while std::os::unix::net::UnixStream::connect(engine.socket()).is_err() {
            let log = fs::read_to_string(engine.folder.path().join("log")).unwrap_or_default();
            let ended = engine.child.try_wait().expect("its state");
            assert!(ended.is_none(), "it ended: {ended:?}\n{log}");
            assert!(Instant::now() < deadline, "it does not listen:\n{log}");
            pause();
        }
        Some(engine)
    }

    /// The engine itself, the first process of its namespace.
    fn engine(&self) -> Option<u32> {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        let children = fs::read_to_string(children).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }
}

impl Drop for Remapping {
    fn drop(&mut self) {
        let engine = self.engine();
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The first process of a namespace ends after all others of it; then nothing writes to the folder any more.
        let deadline = Instant::now() + Duration::from_secs(30);
        while engine.is_some_and(lives) && Instant::now() < deadline {
            pause();
        }
    }
}

/// True until it has ended, whether or not anybody has waited for it.
fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        !state.is_some_and(|state| state.starts_with(['Z', 'X']))
    })
}

#[test]
fn an_engine_that_remaps_users_is_refused_by_name() {
    let Some(engine) = Remapping::start() else {
        return;
    };
    let address = format!("unix://{}", engine.socket().display());
    let Some(daemon) = Daemon::start_with(&[("SAFERUN_ENGINE", &address)]) else {
        return;
    };
    for (args, code) in [(vec!["run", "-c", "1"], 125), (vec!["doctor"], 1)] {
        let said = daemon.cli(&args).output().expect("it starts");
        let both = text(&said.stdout) + &text(&said.stderr);
        assert_eq!(said.status.code(), Some(code), "{both}");
        assert!(
            both.contains("could not hold a sandbox: it remaps users (userns-remap)"),
            "{both}"
        );
    }
    let left = docker(&address, &["ps", "-a", "-q"]);
    assert_eq!(
        (left.status.code(), text(&left.stdout).as_str()),
        (Some(0), "")
    );
}
