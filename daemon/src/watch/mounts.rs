//! Hears from the kernel when a file system is mounted or vanishes. inotify says nothing useful then,
//! and no watch of ours may keep a file system busy. And which file systems there are, and of what kind.

use std::{
    fs::{self, File},
    path::Path,
    sync::Arc,
};

use nix::sys::statfs::{self, FsType};
use tokio::io::{Interest, unix::AsyncFd};

use super::{Inner, WatchService, beneath::Found};

/// Tells the service of each change of the mounts, until no root is left: whoever watches nothing is not woken by
/// every container that starts on this machine.
#[expect(
    deprecated,
    reason = "its successor is unsafe for descriptors that change; a `File` keeps its own"
)]
pub(super) fn follow(inner: &Arc<Inner>) {
    // proc(5): a change of the mounts makes this file readable with priority.
    let table = File::open("/proc/self/mountinfo")
        .and_then(|file| AsyncFd::with_interest(file, Interest::PRIORITY | Interest::ERROR));
    let table = match table {
        Ok(table) => table,
        Err(error) => {
            tracing::warn!(%error, "mounts cannot be followed; a watched folder on one may vanish unseen");
            return;
        }
    };
    let service = Arc::downgrade(inner);
    tokio::spawn(async move {
        while let Ok(mut guard) = table.ready(Interest::PRIORITY | Interest::ERROR).await {
            guard.clear_ready();
            let Some(inner): Option<Arc<Inner>> = service.upgrade() else {
                return;
            };
            if inner.stops_following() {
                return;
            }
            WatchService { inner }.mounts_changed();
        }
    });
}

/// Why the kernel cannot tell of changes in this file system, if it cannot: others change it too.
pub(super) fn network(root: &Found) -> Option<String> {
    // From statfs(2), and linux/magic.h.
    const NETWORK: [(i64, &str); 10] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (0xFE53_4D42, "SMB2"),
        (0x6573_5546, "FUSE"),
        (0x0102_1997, "9P"),
        (0x5346_414F, "AFS"),
        (0x00C3_6400, "Ceph"),
        (0x786F_4256, "vboxsf"),
        (0x0BD0_0BD0, "Lustre"),
    ];
    let kind = statfs::fstatfs(root).ok()?.filesystem_type();
    let (_, name) = NETWORK.iter().find(|(magic, _)| kind == FsType(*magic))?;
    Some(format!(
        "the kernel does not tell what others change on {name}"
    ))
}

/// Whether the kernel makes up what is in this file system: nothing is written there that could be run from there.
pub(super) fn keeps_no_files(folder: &Found) -> bool {
    // From linux/magic.h: proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, devpts, configfs, bpf, selinuxfs.
    const MADE_UP: [i64; 11] = [
        0x9FA0,
        0x6265_6572,
        0x0027_E0EB,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0x1CD1,
        0x6265_6570,
        0xCAFE_4A11,
        0xF97C_FF8C,
    ];
    let kind = statfs::fstatfs(folder).map(|found| found.filesystem_type());
    kind.is_ok_and(|kind| MADE_UP.iter().any(|magic| kind == FsType(*magic)))
}

/// The mounts at and under a path, as the kernel lists them.
pub(super) fn under(path: &Path) -> String {
    let Ok(bytes) = fs::read("/proc/self/mountinfo") else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let under = text.lines().filter(|line| {
        let point = line.split(' ').nth(4);
        point.is_some_and(|point| Path::new(point).starts_with(path))
    });
    under.collect::<Vec<_>>().join("\n")
}
