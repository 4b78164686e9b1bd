//! Hears from the kernel when a file system is mounted or vanishes. inotify says nothing useful then,
//! and no watch of ours may keep a file system busy. And which file systems there are, and of what kind.

use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::ffi::OsStrExt,
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
    shared_kind(statfs::fstatfs(root).ok()?.filesystem_type())
}

fn shared_kind(kind: FsType) -> Option<String> {
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
    let lines = bytes.split(|byte| *byte == b'\n');
    let under: Vec<&[u8]> = lines.filter(|line| is_under(line, path)).collect();
    String::from_utf8_lossy(&under.join(&b'\n')).into_owned()
}

/// Whether a line of mountinfo is of a mount at or under a path.
fn is_under(line: &[u8], path: &Path) -> bool {
    let point = line.split(|byte| *byte == b' ').nth(4).map(unescaped);
    point.is_some_and(|point| Path::new(OsStr::from_bytes(&point)).starts_with(path))
}

/// A name of proc(5), where spaces, tabs, newlines and backslashes are written as `\ooo`.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let octal = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 8).ok()
        };
        let written = after.get(..3).filter(|_| *first == b'\\');
        if let Some(byte) = written.and_then(octal) {
            plain.push(byte);
            rest = &after[3..];
        } else {
            plain.push(*first);
            rest = after;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use nix::libc;

    use super::*;

    #[test]
    fn what_others_change_unseen_is_polled_and_what_this_kernel_alone_changes_is_not() {
        for (kind, name) in [
            (statfs::NFS_SUPER_MAGIC, "NFS"),
            (statfs::SMB_SUPER_MAGIC, "SMB"),
            (statfs::FUSE_SUPER_MAGIC, "FUSE"),
            (FsType(0x0102_1997), "9P"),
            (FsType(libc::AFS_SUPER_MAGIC), "AFS"),
        ] {
            let reason = shared_kind(kind).expect(name);
            assert!(reason.ends_with(&format!("on {name}")), "{reason}");
        }
        for kind in [
            statfs::EXT4_SUPER_MAGIC,
            statfs::TMPFS_MAGIC,
            statfs::OVERLAYFS_SUPER_MAGIC,
            statfs::BTRFS_SUPER_MAGIC,
            statfs::PROC_SUPER_MAGIC,
        ] {
            assert_eq!(shared_kind(kind), None);
        }
    }

    #[test]
    fn a_mount_is_found_by_its_plain_name_whatever_is_mounted_there() {
        let table = [
            (
                r"36 35 98:0 / /w rw,noatime shared:1 - ext4 /dev/sda1 rw",
                "/w",
            ),
            (
                r"40 36 0:45 / /w/nfs rw - nfs4 host:/srv rw,vers=4.2",
                "/w/nfs",
            ),
            (
                r"41 36 0:46 / /w/my\040code\134x rw - fuse.sshfs me@host:/ rw",
                r"/w/my code\x",
            ),
            (
                r"42 36 0:47 / /w/p\303\244th rw - 9p share rw,trans=virtio",
                "/w/p\u{e4}th",
            ),
            (r"43 36 0:48 / /w/ends\0 rw - tmpfs none rw", r"/w/ends\0"),
        ];
        for (line, point) in table {
            assert!(is_under(line.as_bytes(), Path::new(point)), "{line}");
            assert!(is_under(line.as_bytes(), Path::new("/w")), "{line}");
            for elsewhere in ["/w/n", "/other", "/w/nfs/deeper"] {
                assert!(!is_under(line.as_bytes(), Path::new(elsewhere)), "{line}");
            }
        }
        assert!(!is_under(b"", Path::new("/")));
        assert!(!is_under(b"36 35 98:0 /", Path::new("/")));
    }

    #[test]
    fn what_the_kernel_says_of_real_folders_is_understood() {
        let found = |path| super::super::beneath::root(Path::new(path)).expect("it is there");
        assert_eq!(network(&found("/proc")), None);
        assert!(keeps_no_files(&found("/proc")));
        assert!(under(Path::new("/proc")).contains(" - proc "));
        assert!(!under(Path::new("/proc")).contains(" / / "));
    }
}
