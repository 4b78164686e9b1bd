//! Opens what is under a watch root and nothing else: no symbolic link is followed anywhere, no FIFO
//! or device is ever opened, no read is longer than its bound.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom},
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Component, Path},
};

use nix::{
    errno::Errno,
    fcntl::{AT_FDCWD, AtFlags, OFlag, OpenHow, ResolveFlag, openat, openat2},
    libc,
    sys::stat::{FileStat, Mode, SFlag, fstat},
    unistd::{AccessFlags, faccessat},
};

/// Something under a root, held so that it can be looked at and read but not swapped for another.
#[derive(Debug)]
pub(super) struct Found {
    fd: OwnedFd,
    /// What the kernel says of it.
    pub(super) stamp: Stamp,
}

/// What tells whether a file changed since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) size: u64,
    /// Type and permissions.
    pub(super) mode: u32,
    pub(super) links: u64,
    /// Time of the last change of content, in nanoseconds since 1970.
    pub(super) mtime: i128,
    /// Time of the last change of anything, which no program can set.
    pub(super) ctime: i128,
}

impl Stamp {
    fn of(stat: &FileStat) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mode: stat.st_mode,
            links: stat.st_nlink,
            mtime: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    fn is(&self, kind: SFlag) -> bool {
        self.mode & SFlag::S_IFMT.bits() == kind.bits()
    }

    pub(super) fn is_file(&self) -> bool {
        self.is(SFlag::S_IFREG)
    }

    pub(super) fn is_dir(&self) -> bool {
        self.is(SFlag::S_IFDIR)
    }
}

/// Opens a root by its canonical path. A link in any part of it is an error: the path was canonical
/// when it was added, so somebody put the link there since.
pub(super) fn root(path: &Path) -> io::Result<Found> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    let how = OpenHow::new()
        .flags(flags)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let fd = match openat2(AT_FDCWD, path, how) {
        Ok(fd) => fd,
        Err(Errno::ENOSYS | Errno::EPERM) => {
            let top = openat(AT_FDCWD, "/", flags, Mode::empty())?;
            return by_steps(top, path);
        }
        Err(error) => return Err(error.into()),
    };
    found(fd)
}

/// Opens `relative` under a root, without any right to read it yet. The empty path is the root itself.
pub(super) fn look(root: &Found, relative: &Path) -> io::Result<Found> {
    if relative.as_os_str().is_empty() {
        return found(root.fd.try_clone()?);
    }
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW)
        .resolve(
            ResolveFlag::RESOLVE_BENEATH
                | ResolveFlag::RESOLVE_NO_SYMLINKS
                | ResolveFlag::RESOLVE_NO_MAGICLINKS,
        );
    match openat2(&root.fd, relative, how) {
        Ok(fd) => found(fd),
        // Kernels before 5.6, and sandboxes that do not know the call.
        Err(Errno::ENOSYS | Errno::EPERM) => by_steps(root.fd.try_clone()?, relative),
        Err(error) => Err(error.into()),
    }
}

/// The same, a component at a time: no step follows a link.
fn by_steps(mut at: OwnedFd, relative: &Path) -> io::Result<Found> {
    for part in relative.components() {
        let name = match part {
            Component::Normal(name) => name,
            Component::RootDir | Component::CurDir => continue,
            Component::ParentDir | Component::Prefix(_) => return Err(Errno::EXDEV.into()),
        };
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        at = openat(&at, name, flags, Mode::empty())?;
    }
    found(at)
}

fn found(fd: OwnedFd) -> io::Result<Found> {
    let stamp = Stamp::of(&fstat(&fd)?);
    Ok(Found { fd, stamp })
}

impl Found {
    /// Reads all of a regular file, at most `most` bytes.
    pub(super) fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        if !self.stamp.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        self.read_from(&self.reopen()?, most)
    }

    /// The same through a descriptor of its own, which stays readable whatever rights the file loses.
    pub(super) fn read_from(&self, file: &File, most: u64) -> io::Result<Vec<u8>> {
        let mut file = file;
        file.seek(SeekFrom::Start(0))?;
        let expected = usize::try_from(self.stamp.size.min(most)).unwrap_or(0);
        let mut bytes = Vec::with_capacity(expected.saturating_add(1));
        file.take(most + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(io::Error::other("too large"));
        }
        Ok(bytes)
    }

    /// The same file opened for reading. The magic link leads to this very inode, whatever its name is now.
    pub(super) fn reopen(&self) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
            .open(self.magic())
    }

    /// Whether this process may open what is in a folder.
    pub(super) fn may_be_searched(&self) -> bool {
        let flags = AtFlags::AT_EACCESS;
        faccessat(AT_FDCWD, self.magic().as_str(), AccessFlags::X_OK, flags).is_ok()
    }

    /// The uid that it belongs to.
    pub(super) fn owner(&self) -> io::Result<u32> {
        Ok(fstat(&self.fd)?.st_uid)
    }

    /// The path by which the kernel knows this descriptor.
    pub(super) fn magic(&self) -> String {
        format!("/proc/self/fd/{}", self.fd.as_raw_fd())
    }

    /// What the kernel says of it now.
    pub(super) fn stamp_now(&self) -> io::Result<Stamp> {
        Ok(Stamp::of(&fstat(&self.fd)?))
    }

    /// The names in a folder, with whether each is a folder; what is neither file nor folder is left out.
    /// Stops after `most` names and says so with `false`.
    pub(super) fn list(&self, most: usize) -> io::Result<(Vec<(std::ffi::OsString, bool)>, bool)> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.magic())? {
            let entry = entry?;
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if !kind.is_file() && !kind.is_dir() {
                continue;
            }
            if names.len() == most {
                return Ok((names, false));
            }
            names.push((entry.file_name(), kind.is_dir()));
        }
        Ok((names, true))
    }
}

impl AsFd for Found {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn links_lead_nowhere_and_fifos_are_never_opened() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.py"), "x = 1\n").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::create_dir(path.join("in")).unwrap();
        fs::write(path.join("in/a.py"), "y = 2\n").unwrap();
        symlink(outside.path(), path.join("way")).unwrap();
        symlink(outside.path().join("secret.py"), path.join("link.py")).unwrap();
        symlink("in/a.py", path.join("near.py")).unwrap();
        mkfifo(&path.join("pipe.py"), Mode::from_bits_truncate(0o600)).unwrap();
        let root = root(&path).unwrap();
        let read = |name: &str| look(&root, Path::new(name)).and_then(|found| found.read(100));
        assert_eq!(read("in/a.py").unwrap(), b"y = 2\n");
        for name in [
            "way/secret.py",
            "link.py",
            "near.py",
            "pipe.py",
            "../x.py",
            "in/../../x",
        ] {
            assert!(read(name).is_err(), "{name}");
        }
        let steps = |name: &str| {
            by_steps(root.fd.try_clone().unwrap(), Path::new(name))
                .and_then(|found| found.read(100))
        };
        assert_eq!(steps("in/a.py").unwrap(), b"y = 2\n");
        for name in ["way/secret.py", "link.py", "near.py", "pipe.py", "../x.py"] {
            assert!(steps(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_root_that_became_a_link_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::create_dir(path.join("real")).unwrap();
        symlink("real", path.join("root")).unwrap();
        assert!(root(&path.join("root")).is_err());
        assert!(root(&path.join("real")).is_ok());
    }

    #[test]
    fn a_read_ends_at_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        fs::write(path.join("a"), vec![b'x'; 101]).unwrap();
        let root = root(&path).unwrap();
        let file = look(&root, Path::new("a")).unwrap();
        assert!(file.read(100).is_err());
        assert_eq!(file.read(101).unwrap().len(), 101);
    }
}
