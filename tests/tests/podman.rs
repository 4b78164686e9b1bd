//! Promise: Podman's Docker-compatible socket serves as engine, with every limit and both witnesses; an ordinary user's
//! Podman that cannot hold the limits is refused by name.

use std::{
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use saferun_protocol::{Outcome, RunRequest, StdinMode};
use saferun_tests::{Daemon, NOBODY, pause, skipped, text};
use tempfile::TempDir;

/// A service of Podman with a storage of its own.
struct Podman {
    child: Child,
    folder: TempDir,
}

impl Podman {
    /// Starts it, as this user if one is named; says why not where there is none.
    fn start(user: Option<u32>) -> Option<Self> {
        let found = Command::new("podman").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            skipped("Podman is not installed");
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            skipped("only root starts Podman as root and as somebody else");
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("saferun-podman-")
            .tempdir()
            .expect("a folder");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]);
        if let Some(user) = user {
            chown(folder.path(), Some(user), Some(user)).expect("the folder is given away");
            let user = user.to_string();
            // It starts itself again, and leaves a process that keeps its namespaces: all end with the first process of
            // a namespace of theirs. That one stays root: who changes the user no longer ends with its parent.
            command.args([
                "unshare",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
                "--",
                "timeout",
                "600",
            ]);
            command.args([
                "setpriv",
                "--reuid",
                &user,
                "--regid",
                &user,
                "--clear-groups",
                "--",
            ]);
        }
        let at = |name: &str| folder.path().join(name);
        let child = command
            .args(["podman", "--cgroup-manager=cgroupfs", "--runtime=runc"])
            .args(["--events-backend=file", "--storage-driver=vfs", "--root"])
            .arg(at("root"))
            .arg("--runroot")
            .arg(at("run"))
            .args(["system", "service", "--time=0"])
            .arg(format!("unix://{}", at("podman.sock").display()))
            .env("HOME", folder.path())
            .env("XDG_RUNTIME_DIR", folder.path())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(at("log")).expect("a log"))
            .spawn()
            .expect("setpriv and podman start");
        let podman = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(30);
        while std::os::unix::net::UnixStream::connect(podman.socket()).is_err() {
            let log = std::fs::read_to_string(podman.folder.path().join("log"));
            assert!(Instant::now() < deadline, "Podman does not listen: {log:?}");
            pause();
        }
        Some(podman)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("podman.sock")
    }

    /// A daemon over it, and the image built there.
    fn daemon(&self) -> Option<Daemon> {
        let address = format!("unix://{}", self.socket().display());
        let daemon = Daemon::start_with(&[("SAFERUN_ENGINE", &address)])?;
        let built = daemon.cli(&["image", "build"]).output().expect("it starts");
        assert!(built.status.success(), "{}", text(&built.stderr));
        Some(daemon)
    }

    fn containers(&self) -> String {
        let output = Command::new("curl")
            .args(["-s", "--max-time", "20", "--unix-socket"])
            .arg(self.socket())
            .arg("http://podman/v1.41/containers/json?all=true")
            .output()
            .expect("curl starts");
        text(&output.stdout).trim().to_owned()
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // Podman keeps mounts of its storage; what is not one says so, which is fine.
        for name in ["root/vfs", "root/overlay", "run"] {
            unmount(&self.folder.path().join(name));
        }
    }
}

fn unmount(path: &Path) {
    let _ = Command::new("umount")
        .arg("--recursive")
        .arg(path)
        .stderr(Stdio::null())
        .status();
}

#[test]
fn scripts_run_in_podman_under_every_limit() {
    let Some(podman) = Podman::start(None) else {
        return;
    };
    let Some(daemon) = podman.daemon() else {
        return;
    };
    let hello = daemon.run("import sys\nprint('hi')\nsys.exit(3)\n");
    assert_eq!(hello.status, Outcome::Completed, "{hello:?}");
    assert_eq!((hello.exit_code, hello.stdout.as_str()), (Some(3), "hi\n"));
    assert!(
        hello.sandbox.engine.starts_with("podman "),
        "{:?}",
        hello.sandbox
    );
    // The bytes at which Podman would detach from a terminal.
    let mut request = RunRequest::new("import sys\nprint(sys.stdin.buffer.read())\n");
    request.stdin = StdinMode::Given;
    request.stdin_base64 = Some("YRARYg==".to_owned());
    assert_eq!(daemon.run_request(request).stdout, "b'a\\x10\\x11b'\n");
    // Its API of this version changes no running container: a tighter limit gets a container of its own.
    let mut request =
        RunRequest::new("import resource\nx = []\nwhile True: x.append(bytearray(1 << 22))\n");
    request.limits.memory_bytes = Some(96 << 20);
    let oom = daemon.run_request(request);
    assert_eq!(oom.status, Outcome::Oom, "{oom:?}");
    assert!(
        oom.usage
            .peak_memory_bytes
            .is_none_or(|peak| peak <= 96 << 20),
        "{oom:?}"
    );
    let bomb = daemon.run("import os\nwhile True: os.fork()\n");
    assert_ne!(bomb.status, Outcome::Completed, "{bomb:?}");
    // Nothing may be written or kept where Podman would make a folder of its own writable.
    let sealed = daemon.run(
        "for folder in ('/run', '/var/tmp', '/'):\n    try: open(folder + '/x', 'w')\n    except OSError as e: print(e.errno)\n",
    );
    assert_eq!(sealed.stdout.lines().count(), 3, "{sealed:?}");
    let probed = daemon.cli(&["self-check"]).output().expect("it starts");
    let said = text(&probed.stdout);
    assert!(probed.status.success(), "{said}{}", text(&probed.stderr));
    drop(daemon);
    assert_eq!(podman.containers(), "[]", "nothing is left behind");
}

#[test]
fn an_ordinary_users_podman_without_controllers_is_refused_by_name() {
    let Some(podman) = Podman::start(Some(NOBODY)) else {
        return;
    };
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        // There a user may have been given controllers; which, the attestation reads.
        return skipped("cgroup version 2 alone: an ordinary user may hold limits here");
    }
    let Some(daemon) = podman.daemon() else {
        return;
    };
    let refused = daemon.cli(&["run", "-c", "1"]).output().expect("it starts");
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(126), "{said}");
    for limit in ["limits.memory", "limits.cpu", "limits.pids"] {
        assert!(said.contains(limit), "{said}");
    }
    assert!(said.contains("ordinary user's engine"), "{said}");
    assert_eq!(podman.containers(), "[]");
}
