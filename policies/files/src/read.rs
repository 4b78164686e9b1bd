//! Opens a policy file, looks at what was opened, and reads it, bounded. A file that others could change, or that
//! leads elsewhere, is not read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use saferun_policy::{Distrust, FileFacts, LayerKind, MAX_BYTES, Source, Trust, trust};

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is not trusted.
    #[error("the policy file {path} is not used: {why}")]
    Distrusted {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: Distrust,
    },
    /// Others may replace what is in its folder, or a folder on the way to it.
    #[error(
        "the policy file {path} is not used: others may replace what is in {folder}; `chmod go-w` it, and it must be yours or root's"
    )]
    Folder {
        /// The file.
        path: String,
        /// The folder, links resolved.
        folder: String,
    },
    /// A folder, a pipe, a device.
    #[error("the policy file {path} is not used: it is not a regular file")]
    NotAFile {
        /// The file.
        path: String,
    },
    /// It is too large.
    #[error("the policy file {path} is not used: it is larger than {MAX_BYTES} bytes")]
    TooLarge {
        /// The file.
        path: String,
    },
    /// It is not text.
    #[error("the policy file {path} is not used: it is not UTF-8 text")]
    NotText {
        /// The file.
        path: String,
    },
    /// It cannot be read.
    #[error("the policy file {path} cannot be read: {source}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads the file of a layer for the user with this uid; `None` if there is none.
///
/// # Errors
/// [`FileError`] for a file that is there but may not be used.
pub fn read(layer: LayerKind, path: &Path, uid: u32) -> Result<Option<Source>, FileError> {
    let shown = || path.display().to_string();
    let io = |source| FileError::Io {
        path: shown(),
        source,
    };
    let file = match open(path, libc::O_NOFOLLOW) {
        Ok(file) => file,
        Err(error) => {
            return match error.raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => Ok(None),
                Some(libc::ELOOP) => Err(FileError::Distrusted {
                    path: shown(),
                    why: Distrust::Symlink,
                }),
                // What is no file for reading, as a socket.
                Some(libc::ENXIO) => Err(FileError::Distrusted {
                    path: shown(),
                    why: Distrust::NotAFile,
                }),
                _ => Err(io(error)),
            };
        }
    };
    let meta = file.metadata().map_err(io)?;
    let facts = FileFacts {
        symlink: false,
        regular: meta.is_file(),
        owner: meta.uid(),
        mode: meta.mode() & 0o7777,
    };
    let trust = trust(layer, &facts, uid);
    if let Trust::Refuse(why) = trust {
        return Err(FileError::Distrusted { path: shown(), why });
    }
    if layer != LayerKind::Project
        && let Some(folder) = replaceable(path, uid).map_err(io)?
    {
        let folder = folder.display().to_string();
        return Err(FileError::Folder {
            path: shown(),
            folder,
        });
    }
    let text = text(&file, path)?;
    match Source::trusted(layer, shown(), text, trust) {
        Ok(source) => Ok(Some(source)),
        Err(why) => Err(FileError::Distrusted { path: shown(), why }),
    }
}

/// Reads a file that a person named on the command line: as trusted as their own policy, of the layer `flags`, in
/// which keys of the user's and the system's layers alone are errors.
///
/// # Errors
/// [`FileError`] for a file that is not there or may not be used.
pub fn read_chosen(path: &Path, uid: u32) -> Result<Source, FileError> {
    match read(LayerKind::Flags, path, uid)? {
        Some(source) => Ok(source),
        None => Err(FileError::Io {
            path: path.display().to_string(),
            source: io::ErrorKind::NotFound.into(),
        }),
    }
}

/// Reads a file that is looked at and does not hold, as for `policy check`: whoever owns it, and through links.
///
/// # Errors
/// [`FileError`] for a file that is not there, is no regular file, or is no text of a policy's size.
pub fn read_to_check(layer: LayerKind, path: &Path) -> Result<Source, FileError> {
    let shown = || path.display().to_string();
    let io = |source: io::Error| match source.raw_os_error() {
        // A socket.
        Some(libc::ENXIO) => FileError::NotAFile { path: shown() },
        _ => FileError::Io {
            path: shown(),
            source,
        },
    };
    let file = open(path, 0).map_err(io)?;
    if !file.metadata().map_err(io)?.is_file() {
        return Err(FileError::NotAFile { path: shown() });
    }
    Ok(Source::yaml(layer, shown(), text(&file, path)?))
}

/// Opens without waiting: the other end of a pipe may never come.
fn open(path: &Path, flags: libc::c_int) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(flags | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC)
        .open(path)
}

/// The first folder on the way to a file, nearest first, in which somebody else may put another thing in the place of
/// ours. The sticky bit keeps that to the owner of what is replaced.
fn replaceable(path: &Path, uid: u32) -> io::Result<Option<PathBuf>> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new("/"),
    };
    for folder in fs::canonicalize(folder)?.ancestors() {
        let meta = fs::metadata(folder)?;
        let owned = meta.uid() == uid || meta.uid() == 0;
        let open = meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0;
        if !owned || open {
            return Ok(Some(folder.to_owned()));
        }
    }
    Ok(None)
}

fn text(file: &File, path: &Path) -> Result<String, FileError> {
    let shown = || path.display().to_string();
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| FileError::Io {
            path: shown(),
            source,
        })?;
    if bytes.len() > MAX_BYTES {
        return Err(FileError::TooLarge { path: shown() });
    }
    String::from_utf8(bytes).map_err(|_| FileError::NotText { path: shown() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use saferun_policy::{Content, Reach};

    use super::*;

    fn uid() -> u32 {
        nix::unistd::geteuid().as_raw()
    }

    fn file(folder: &Path, mode: u32, text: &[u8]) -> PathBuf {
        let path = folder.join("policy.yaml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn private() -> tempfile::TempDir {
        tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .unwrap()
    }

    #[test]
    fn a_sound_file_is_read_and_none_is_no_error() {
        let folder = private();
        let path = file(folder.path(), 0o600, b"version: 1\n");
        let source = read(LayerKind::User, &path, uid()).unwrap().unwrap();
        assert_eq!(source.content, Content::Yaml("version: 1\n".to_owned()));
        assert_eq!(source.reach, Reach::Replaces);
        assert!(
            read(LayerKind::User, &folder.path().join("none/x.yaml"), uid())
                .unwrap()
                .is_none()
        );
        assert!(
            read(LayerKind::User, &path.join("below"), uid())
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_others_could_change_is_refused() {
        let refused = |path: &Path, uid| read(LayerKind::User, path, uid).unwrap_err().to_string();
        let folder = private();
        let path = file(folder.path(), 0o620, b"version: 1\n");
        assert!(refused(&path, uid()).contains("chmod go-w"));
        let path = file(folder.path(), 0o600, b"version: 1\n");
        let link = folder.path().join("link.yaml");
        symlink(&path, &link).unwrap();
        assert!(refused(&link, uid()).contains("symbolic link"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(refused(&path, uid()).contains("others may replace what is in"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(
            read(LayerKind::User, &path, uid()).is_ok(),
            "the sticky bit protects it"
        );
        // Whoever may rename a folder further up puts another one in its place.
        let below = folder.path().join("saferun");
        fs::create_dir(&below).unwrap();
        fs::set_permissions(&below, fs::Permissions::from_mode(0o700)).unwrap();
        let path = file(&below, 0o600, b"version: 1\n");
        assert!(read(LayerKind::User, &path, uid()).is_ok());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o775)).unwrap();
        let said = refused(&path, uid());
        let open = fs::canonicalize(folder.path()).unwrap();
        assert!(
            said.contains(&format!("what is in {};", open.display())),
            "{said}"
        );
    }

    #[test]
    fn a_file_of_somebody_else_is_refused() {
        let folder = private();
        let path = file(folder.path(), 0o644, b"version: 1\n");
        // Seen by another user, this user's file is somebody else's, unless this user is root.
        let seen = read(LayerKind::User, &path, uid() + 1);
        assert_eq!(seen.is_err(), uid() != 0);
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
            let error = read(LayerKind::User, &path, 0).unwrap_err().to_string();
            assert!(error.contains("another user"), "{error}");
            let project = read(LayerKind::Project, &path, 0).unwrap().unwrap();
            assert_eq!(
                project.reach,
                Reach::Tightens,
                "a project's file only tightens"
            );
        }
    }

    #[test]
    fn what_is_looked_at_is_a_regular_file_of_a_policys_size() {
        let folder = private();
        let path = file(folder.path(), 0o666, b"version: 1\n");
        let link = folder.path().join("link.yaml");
        symlink(&path, &link).unwrap();
        for path in [&path, &link] {
            let source = read_to_check(LayerKind::User, path).unwrap();
            assert_eq!(source.content, Content::Yaml("version: 1\n".to_owned()));
        }
        let error = |path: &Path| {
            read_to_check(LayerKind::User, path)
                .unwrap_err()
                .to_string()
        };
        let pipe = folder.path().join("pipe.yaml");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        let socket = folder.path().join("socket.yaml");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&pipe, &socket, folder.path(), Path::new("/dev/zero")] {
            assert!(error(path).contains("not a regular file"), "{path:?}");
        }
        let huge = folder.path().join("huge.yaml");
        File::create(&huge).unwrap().set_len(10 << 30).unwrap();
        assert!(error(&huge).contains("larger than"));
        assert!(error(&file(folder.path(), 0o600, b"\xff\xfe")).contains("UTF-8"));
        assert!(error(&folder.path().join("none.yaml")).contains("cannot be read"));
    }

    #[test]
    fn what_is_no_text_file_is_refused_and_never_waited_for() {
        let folder = private();
        let path = folder.path().join("policy.yaml");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        let error = |path: &Path| read(LayerKind::User, path, uid()).unwrap_err().to_string();
        assert!(error(&path).contains("not a regular file"));
        assert!(error(folder.path()).contains("not a regular file"));
        fs::remove_file(&path).unwrap();
        assert!(error(&file(folder.path(), 0o600, b"\xff\xfe")).contains("UTF-8"));
        assert!(error(&file(folder.path(), 0o600, &vec![b'#'; MAX_BYTES + 1])).contains("larger"));
    }
}
