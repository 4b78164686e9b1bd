//! From the first instruction to "ready": seal, furnish HOME, hold an interpreter, look around.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::statvfs::statvfs;
use saferun_frames::{EntryType, Facts, PROTOCOL_VERSION, Place, Ready, ToDaemon};

use crate::cgroup::{Cgroup, Counters};
use crate::collect::{Entries, snapshot};
use crate::facts;
use crate::interpreter::{self, Held};
use crate::mounts;
use crate::places::Places;
use crate::reap;
use crate::seclude::OwnProc;
use crate::stop::Stop;
use crate::untouched;

/// A booted supervisor that waits for its run.
pub(crate) struct Standby {
    /// The interpreter that stands by; `None` if it cannot be held here.
    pub(crate) held: Option<Held>,
    /// Readable when a child has ended.
    pub(crate) signals: SignalFd,
    /// What to measure the run with.
    pub(crate) gauge: Gauge,
    ready: Ready,
}

impl Standby {
    pub(crate) fn ready(&self) -> ToDaemon {
        ToDaemon::Ready(Box::new(self.ready.clone()))
    }
}

/// Where the figures of a run come from, and what they were before it.
pub(crate) struct Gauge {
    pub(crate) cgroup: Cgroup,
    pub(crate) before: Counters,
    /// Of the run's specification; 0 until it came.
    pub(crate) token: u64,
    tmpfs: Vec<PathBuf>,
}

impl Gauge {
    /// Writable tmpfs mounts.
    pub(crate) fn tmpfs(&self) -> &[PathBuf] {
        &self.tmpfs
    }

    /// Writable tmpfs mounts without a free block or inode.
    pub(crate) fn full_mounts(&self) -> Vec<String> {
        self.tmpfs
            .iter()
            .filter(|point| is_full(point))
            .map(|p| p.display().to_string())
            .collect()
    }
}

pub(crate) fn boot(places: &Places, own: &OwnProc) -> Result<Standby, Stop> {
    if !reap::is_init() {
        return Err(Stop::boot(
            "not PID 1: start it as the first process of a PID namespace",
        ));
    }
    // Before anything else of this uid exists that could attach or look.
    prctl::set_dumpable(false)
        .map_err(|error| Stop::boot(format!("cannot make PID 1 undumpable: {error}")))?;
    // Before anything of this boot could be found.
    let left_behind = untouched::left_behind(places);
    let signals = watch_children()
        .map_err(|error| Stop::boot(format!("cannot watch for ended children: {error}")))?;
    furnish(&places.home, places.home_folder.as_deref())
        .map_err(|error| Stop::boot(format!("cannot copy the home folder's files: {error}")))?;
    let (held, interpreter) = match interpreter::hold(places) {
        Ok((held, name)) => (Some(held), name),
        Err(_) => (
            None,
            interpreter::version(places).map_err(|e| Stop::boot(e.to_string()))?,
        ),
    };
    let mounts = mounts::parse(&own.text("mountinfo"));
    let cgroup = Cgroup::locate(&mounts, &own.text("cgroup"));
    let facts = Facts {
        left_behind: Some(left_behind),
        ..facts::read(own, &mounts, &cgroup)
    };
    let tmpfs = mounts
        .iter()
        .filter(|m| m.is_writable_tmpfs())
        .map(|m| unescape(&m.point));
    let gauge = Gauge {
        before: cgroup.counters(),
        token: 0,
        tmpfs: tmpfs.collect(),
        cgroup,
    };
    let ready = Ready {
        protocol: PROTOCOL_VERSION,
        interpreter,
        warm: held.is_some(),
        facts,
    };
    Ok(Standby {
        held,
        signals,
        gauge,
        ready,
    })
}

fn watch_children() -> nix::Result<SignalFd> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
}

/// Copies the image's home files into HOME, which is empty at each start.
fn furnish(from: &Path, home: Option<&Path>) -> io::Result<()> {
    match home {
        Some(home) if from.is_dir() => copy_folder(from, home),
        // A policy may leave HOME a part of the read-only root; then it stays empty.
        _ => Ok(()),
    }
}

/// What [`furnish`] made of the image's home files, from those files: they are still as they were.
pub(crate) fn furnished(from: &Path) -> Entries {
    let mut entries = snapshot(from, Place::Home);
    for entry in entries.values_mut() {
        entry.mode = match entry.kind {
            EntryType::Folder => 0o700,
            _ => 0o600,
        };
    }
    entries
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if !target.is_dir() {
                fs::create_dir(&target)?;
            }
            fs::set_permissions(&target, fs::Permissions::from_mode(0o700))?;
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            // The image's are readable for each uid of the range, these are one user's own.
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

fn is_full(point: &Path) -> bool {
    statvfs(point).is_ok_and(|stat| {
        (stat.blocks() > 0 && stat.blocks_available() == 0)
            || (stat.files() > 0 && stat.files_available() == 0)
    })
}

/// Undoes the kernel's octal escapes (`\040` for a blank) in a mount point.
fn unescape(point: &str) -> PathBuf {
    let bytes = point.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let octal = bytes[at..]
            .strip_prefix(b"\\")
            .and_then(|rest| rest.get(..3))
            .and_then(|o| {
                std::str::from_utf8(o)
                    .ok()
                    .and_then(|o| u8::from_str_radix(o, 8).ok())
            });
        out.push(octal.unwrap_or(bytes[at]));
        at += if octal.is_some() { 4 } else { 1 };
    }
    std::ffi::OsString::from_vec(out).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn escapes_of_the_kernel_are_undone() {
        assert_eq!(unescape("/a\\040b"), PathBuf::from("/a b"));
        assert_eq!(unescape("/plain"), PathBuf::from("/plain"));
        assert_eq!(unescape("/end\\04"), PathBuf::from("/end\\04"));
        assert_eq!(
            unescape("/\\303\\274").as_os_str().as_bytes(),
            "/ü".as_bytes()
        );
    }

    #[test]
    fn a_folder_is_copied_whole() {
        let base = std::env::temp_dir().join(format!("saferun-furnish-{}", std::process::id()));
        let (from, to) = (base.join("from"), base.join("to"));
        fs::create_dir_all(from.join(".ssh")).expect("folders");
        fs::create_dir_all(&to).expect("a folder");
        fs::write(from.join(".ssh/id_rsa"), "decoy").expect("a file");
        copy_folder(&from, &to).expect("a copy");
        assert_eq!(
            fs::read_to_string(to.join(".ssh/id_rsa")).expect("the copy"),
            "decoy"
        );
        fs::remove_dir_all(&base).expect("the folders");
    }
}
