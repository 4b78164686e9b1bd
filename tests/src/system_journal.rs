//! A system journal of a test's own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{pause, skipped};

/// A namespace of systemd-journald; it ends with its files when it is dropped.
#[derive(Debug)]
pub struct SystemJournal {
    child: Child,
    name: String,
    files: PathBuf,
}

impl SystemJournal {
    /// Starts one; where there can be none, the test says that it is skipped.
    ///
    /// # Panics
    /// If the program that is there cannot be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        let program = Path::new("/lib/systemd/systemd-journald");
        if !nix::unistd::geteuid().is_root() || !program.exists() {
            skipped("a system journal of its own needs root and systemd-journald");
            return None;
        }
        let name = format!("saferun{}", std::process::id());
        let child = Command::new(program)
            .arg(&name)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("systemd-journald");
        let folder = if Path::new("/var/log/journal").is_dir() {
            "/var/log/journal"
        } else {
            "/run/log/journal"
        };
        let files = Path::new(folder).join(format!("{}.{name}", Self::machine()));
        let journal = Self { child, name, files };
        for _ in 0..500 {
            if journal.socket().exists() && journal.files.is_dir() {
                return Some(journal);
            }
            pause();
        }
        skipped("systemd-journald does not start here");
        None
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        PathBuf::from(format!("/run/systemd/journal.{}/socket", self.name))
    }

    /// The folder of its files.
    #[must_use]
    pub fn files(&self) -> &Path {
        &self.files
    }

    /// The machine's id, by which the folders of journals are called.
    #[must_use]
    pub fn machine() -> String {
        let id = fs::read_to_string("/etc/machine-id").unwrap_or_default();
        id.trim().to_owned()
    }
}

impl Drop for SystemJournal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.files);
        let _ = fs::remove_dir_all(format!("/run/systemd/journal.{}", self.name));
    }
}
