//! Files below a folder, one component at a time and through no link. Whoever put a link there gets an error.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, fchmod, fchmodat, fstatat, mkdirat};

/// A folder that paths are taken from.
pub(crate) struct Folder {
    root: OwnedFd,
}

const FOLDER: OFlag = OFlag::O_DIRECTORY
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

impl Folder {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let root = open(path, OFlag::O_RDONLY | FOLDER, Mode::empty())?;
        Ok(Self { root })
    }

    /// Makes a new file with the folders above it, which are told of by their paths. It must not exist.
    pub(crate) fn create(
        &self,
        path: &str,
        mode: Mode,
        new_folder: &mut impl FnMut(&str),
    ) -> io::Result<File> {
        let (above, name) = split(path);
        let mut folder = self.root.try_clone()?;
        let mut end = 0;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            end += part.len() + usize::from(end > 0);
            match mkdirat(&folder, part, Mode::from_bits_truncate(0o755)) {
                Ok(()) => new_folder(&above[..end]),
                Err(Errno::EEXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = openat(&folder, part, OFlag::O_RDONLY | FOLDER, Mode::empty())?;
        }
        let flags =
            OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(&folder, name, flags, mode)?;
        // Whatever the umask is.
        fchmod(&file, mode)?;
        Ok(file.into())
    }

    /// A folder below, made readable for its owner if it is not. The empty path is this one.
    pub(crate) fn folder(&self, path: &str) -> io::Result<OwnedFd> {
        let mut folder = self.root.try_clone()?;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            folder = readable(&folder, part, OFlag::O_RDONLY | FOLDER, 0o700)?;
        }
        Ok(folder)
    }
}

/// What the entry itself is, not what it points to.
pub(crate) fn look(folder: impl AsFd, name: &[u8]) -> io::Result<FileStat> {
    Ok(fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?)
}

/// Opens a regular file for reading, made readable for its owner if it is not. Never waits for a FIFO.
pub(crate) fn read(folder: impl AsFd, name: &[u8]) -> io::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    readable(folder, name, flags, 0o400).map(File::from)
}

fn readable<P: nix::NixPath + ?Sized>(
    folder: impl AsFd,
    name: &P,
    flags: OFlag,
    mode: u32,
) -> io::Result<OwnedFd> {
    match openat(&folder, name, flags, Mode::empty()) {
        // The program that took the permission away is dead, and the container is used once.
        Err(Errno::EACCES) => {
            let mode = Mode::from_bits_truncate(mode);
            fchmodat(&folder, name, mode, FchmodatFlags::FollowSymlink)?;
            Ok(openat(&folder, name, flags, Mode::empty())?)
        }
        opened => Ok(opened?),
    }
}

/// The path above and the last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_is_made_with_its_folders_and_through_no_link() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::open(dir.path()).expect("it opens");
        let mode = Mode::from_bits_truncate(0o644);
        let mut folders = Vec::new();
        let mut note = |path: &str| folders.push(path.to_owned());
        let mut file = folder.create("a/b/c.py", mode, &mut note).expect("a file");
        file.write_all(b"x").expect("room");
        folder.create("a/d.py", mode, &mut note).expect("a file");
        assert_eq!(folders, ["a", "a/b"]);
        assert!(folder.create("a/d.py", mode, &mut |_| ()).is_err(), "twice");
        std::os::unix::fs::symlink("/tmp", dir.path().join("link")).expect("a link");
        assert!(folder.create("link/x", mode, &mut |_| ()).is_err());
        std::os::unix::fs::symlink("a/d.py", dir.path().join("file")).expect("a link");
        assert!(folder.create("file", mode, &mut |_| ()).is_err());
        let root = folder.folder("").expect("the root");
        assert!(read(&root, b"file").is_err());
        assert!(read(folder.folder("a").expect("a folder"), b"d.py").is_ok());
    }
}
