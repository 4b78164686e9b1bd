//! An engine of a test's own, for what no user's engine may be asked to do: runtimes that are not what their names say.

use std::{
    fs::{self, File},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{pause, skipped};

/// Docker's engine with a storage and a socket of its own. Ended, with what it mounted, when dropped.
pub struct PrivateEngine {
    folder: TempDir,
    child: Child,
}

impl PrivateEngine {
    /// Starts one with these runtimes, each a name and the program that really answers to it. Only root can, and
    /// only where `dockerd` is installed: otherwise it says what is skipped.
    ///
    /// # Panics
    /// If it does not answer within a minute.
    #[must_use]
    pub fn with_runtimes(runtimes: &[(&str, &Path)]) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            skipped("only root starts an engine");
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("saferun-dockerd-")
            .tempdir()
            .expect("a folder");
        let runtimes: serde_json::Map<String, serde_json::Value> = runtimes
            .iter()
            .map(|(name, path)| ((*name).to_owned(), serde_json::json!({"path": path})))
            .collect();
        let settings = serde_json::json!({"runtimes": runtimes}).to_string();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("daemon.json"), settings).expect("its settings");
        let log = File::create(at("log")).expect("its log");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "dockerd"])
            .arg("--config-file")
            .arg(at("daemon.json"))
            .args(["--iptables=false", "--bridge=none", "--data-root"])
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .args(["-H", &address(folder.path())])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let Ok(child) = child else {
            skipped("there is no setpriv to start an engine with");
            return None;
        };
        let mut engine = Self { folder, child };
        engine.answers().then_some(engine)
    }

    /// Waits until it listens. `false`: there is no `dockerd` on this machine.
    fn answers(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(socket(self.folder.path())).is_err() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if let Ok(Some(status)) = self.child.try_wait() {
                assert_eq!(status.code(), Some(127), "dockerd ended: {status}\n{log}");
                skipped("there is no dockerd");
                return false;
            }
            assert!(Instant::now() < deadline, "no answer of dockerd:\n{log}");
            pause();
        }
        true
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        address(self.folder.path())
    }

    /// Gives it an image that another engine has.
    ///
    /// # Panics
    /// If one of the two refuses.
    pub fn take_image(&self, from: &str, image: &str) {
        let mut save = Command::new("docker")
            .args(["-H", from, "save", image])
            .stdout(Stdio::piped())
            .spawn()
            .expect("docker starts");
        let saved = save.stdout.take().expect("its output");
        let loaded = Command::new("docker")
            .args(["-H", &self.address(), "load", "--quiet"])
            .stdin(saved)
            .output()
            .expect("docker starts");
        assert!(save.wait().expect("it ends").success(), "docker save");
        assert!(loaded.status.success(), "docker load: {loaded:?}");
    }
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("docker.sock")
}

fn address(folder: &Path) -> String {
    format!("unix://{}", socket(folder).display())
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let pid = nix::unistd::Pid::from_raw(pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < deadline
        {
            pause();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What it did not unmount itself keeps its folder from being removed.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let ours = self.folder.path().display().to_string();
        for place in mounts
            .lines()
            .rev()
            .filter_map(|line| line.split(' ').nth(1))
        {
            if place.starts_with(&ours) {
                let _ = Command::new("umount").arg(place).status();
            }
        }
    }
}
