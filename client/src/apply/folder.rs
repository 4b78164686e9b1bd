//! A real folder, seen entry by entry: no link is followed below it, and nothing outside it can be named.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
    path::Path,
};

use nix::{
    errno::Errno,
    fcntl::{AtFlags, OFlag, RenameFlags, open, openat, renameat, renameat2},
    sys::stat::{FileStat, Mode, SFlag, fchmod, fstatat, mkdirat},
    unistd::{UnlinkatFlags, unlinkat},
};
use saferun_protocol::check_path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ui::one_line, units::hex};

/// Largest file that is looked at, in bytes: more cannot have been sent, nor come back.
const LARGEST: u64 = 64 * 1024 * 1024;

const OPEN: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_NOFOLLOW);
const FOLDER: OFlag = OPEN.union(OFlag::O_DIRECTORY);

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum State {
    /// Nothing.
    Absent,
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// Hash of its content in hexadecimal.
        sha256: String,
        /// Permission bits.
        mode: u32,
    },
}

/// The folder that changes go into.
#[derive(Debug)]
pub(super) struct Folder {
    root: OwnedFd,
}

impl Folder {
    /// Opens the folder that the user named; a link in its own path is the user's word.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlag::O_CLOEXEC | OFlag::O_DIRECTORY;
        let root = open(path, flags, Mode::empty())?;
        Ok(Self { root })
    }

    /// What stands at a path, and its content if it is a file. A link, a device and the like are errors.
    pub(super) fn look(&self, path: &str) -> io::Result<(State, Vec<u8>)> {
        let nothing = (State::Absent, Vec::new());
        let (above, name) = match self.above(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(nothing),
            other => other?,
        };
        let Some(stat) = status(&above, name)? else {
            return Ok(nothing);
        };
        match kind(&stat) {
            SFlag::S_IFDIR => Ok((State::Folder, Vec::new())),
            SFlag::S_IFREG => read(&above, name),
            SFlag::S_IFLNK => Err(io::Error::other("it is a symbolic link")),
            _ => Err(io::Error::other("it is neither a file nor a folder")),
        }
    }

    /// Names in a folder.
    pub(super) fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let (above, name) = self.above(path)?;
        let mut folder = nix::dir::Dir::openat(&above, name, FOLDER, Mode::empty())?;
        let mut names = Vec::new();
        for entry in folder.iter() {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "." && name != ".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Puts a file in its place in one step, from a file beside it. `over` says whether one is there already.
    pub(super) fn place(
        &self,
        path: &str,
        beside: &str,
        content: &[u8],
        mode: u32,
        over: bool,
    ) -> io::Result<()> {
        let (above, name) = self.above(path)?;
        let new = OPEN | OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL;
        let private = Mode::from_bits_truncate(0o600);
        let mut file = File::from(openat(&above, beside, new, private)?);
        let written = file
            .write_all(content)
            .and_then(|()| Ok(fchmod(&file, Mode::from_bits_truncate(mode & 0o777))?))
            .and_then(|()| file.sync_all());
        let placed = written.and_then(|()| {
            super::moment::reach();
            if over {
                keep_owner(&above, name, &file)?;
                Ok(renameat(&above, beside, &above, name)?)
            } else {
                rename_to_free(&above, beside, name)
            }
        });
        if placed.is_err() {
            let _ = unlinkat(&above, beside, UnlinkatFlags::NoRemoveDir);
        }
        placed?;
        sync(&above)
    }

    /// Makes a folder: a new one, or one that was there, with its mode.
    pub(super) fn make(&self, path: &str, beside: &str, mode: Option<u32>) -> io::Result<()> {
        let (above, name) = self.above(path)?;
        let Some(mode) = mode else {
            mkdirat(&above, name, Mode::from_bits_truncate(0o777))?;
            return sync(&above);
        };
        mkdirat(&above, beside, Mode::from_bits_truncate(0o700))?;
        super::moment::reach();
        let placed = openat(&above, beside, FOLDER, Mode::empty())
            .and_then(|folder| fchmod(&folder, Mode::from_bits_truncate(mode)))
            .map_err(io::Error::from)
            .and_then(|()| rename_to_free(&above, beside, name));
        if placed.is_err() {
            let _ = unlinkat(&above, beside, UnlinkatFlags::RemoveDir);
        }
        placed?;
        sync(&above)
    }

    /// Permission bits of a folder.
    pub(super) fn mode(&self, path: &str) -> io::Result<u32> {
        let (above, name) = self.above(path)?;
        let stat = status(&above, name)?.filter(|stat| kind(stat) == SFlag::S_IFDIR);
        let stat = stat.ok_or_else(|| io::Error::other("it is no folder any more"))?;
        Ok(stat.st_mode & 0o7777)
    }

    /// Takes away a file, or an empty folder.
    pub(super) fn remove(&self, path: &str, folder: bool) -> io::Result<()> {
        let (above, name) = self.above(path)?;
        let what = if folder {
            UnlinkatFlags::RemoveDir
        } else {
            UnlinkatFlags::NoRemoveDir
        };
        unlinkat(&above, name, what)?;
        sync(&above)
    }

    /// Takes away a half-made entry beside a path, if one was left.
    pub(super) fn tidy(&self, path: &str, beside: &str) {
        if let Ok((above, _)) = self.above(path)
            && unlinkat(&above, beside, UnlinkatFlags::NoRemoveDir) == Err(Errno::EISDIR)
        {
            let _ = unlinkat(&above, beside, UnlinkatFlags::RemoveDir);
        }
    }

    /// The folder above a path, opened step by step, and the last name.
    fn above<'a>(&self, path: &'a str) -> io::Result<(OwnedFd, &'a str)> {
        check_path(path).map_err(io::Error::other)?;
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = self.root.try_clone()?;
        for part in above.split('/').filter(|part| !part.is_empty()) {
            folder = openat(&folder, part, FOLDER, Mode::empty()).map_err(|errno| match errno {
                Errno::ELOOP | Errno::ENOTDIR => io::Error::other(format!(
                    "{} in its path is a link or no folder",
                    one_line(part)
                )),
                errno => errno.into(),
            })?;
        }
        Ok((folder, name))
    }
}

/// Hash in hexadecimal, as it stands in [`State::File`].
pub(super) fn hash(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

fn status(above: &OwnedFd, name: &str) -> io::Result<Option<FileStat>> {
    match fstatat(above, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::ENOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT
}

fn read(above: &OwnedFd, name: &str) -> io::Result<(State, Vec<u8>)> {
    let flags = OPEN | OFlag::O_RDONLY | OFlag::O_NONBLOCK;
    let file = File::from(openat(above, name, flags, Mode::empty())?);
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut content = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large to be looked at"));
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o7777;
    let sha256 = hash(&content);
    Ok((State::File { sha256, mode }, content))
}

/// Gives a file the owner of the one that it replaces, which a rename would change. Of the group it tries.
fn keep_owner(above: &OwnedFd, name: &str, new: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let Some(old) = status(above, name)? else {
        return Ok(());
    };
    let meta = new.metadata()?;
    if (old.st_uid, old.st_gid) == (meta.uid(), meta.gid()) {
        return Ok(());
    }
    match std::os::unix::fs::fchown(new, Some(old.st_uid), Some(old.st_gid)) {
        Err(_) if old.st_uid != meta.uid() => Err(io::Error::other(
            "it belongs to another user, and would become yours",
        )),
        _ => Ok(()),
    }
}

/// Renames to a name that nobody may have taken meanwhile.
fn rename_to_free(above: &OwnedFd, from: &str, to: &str) -> io::Result<()> {
    match renameat2(above, from, above, to, RenameFlags::RENAME_NOREPLACE) {
        // A file system that does not know the flag: look, then rename.
        Err(Errno::EINVAL | Errno::ENOSYS) => match status(above, to)? {
            Some(_) => Err(Errno::EEXIST.into()),
            None => Ok(renameat(above, from, above, to)?),
        },
        other => Ok(other?),
    }
}

fn sync(folder: &OwnedFd) -> io::Result<()> {
    File::from(folder.try_clone()?).sync_all()
}
