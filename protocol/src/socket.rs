//! Where the daemon's socket is, and whether it can be trusted.

use std::{
    env, fs,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

/// The socket's path cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketPathError {
    /// `SAFERUN_SOCKET` is not an absolute path.
    #[error(
        "SAFERUN_SOCKET is `{path}`, which is not an absolute path: give one that starts with /"
    )]
    NotAbsolute {
        /// As it was set.
        path: String,
    },
    /// Longer than `sun_path` of `unix(7)` holds.
    #[error(
        "the socket's path `{path}` has {length} bytes, the system allows 107: set SAFERUN_SOCKET to a shorter one"
    )]
    TooLong {
        /// The path.
        path: String,
        /// Its length in bytes.
        length: usize,
    },
    /// Something else stands there.
    #[error(
        "`{path}` is not a socket but a {found}: move it away, or set SAFERUN_SOCKET to another path"
    )]
    NotASocket {
        /// The path.
        path: String,
        /// What it is.
        found: &'static str,
    },
    /// The socket, or its folder, is somebody else's.
    #[error(
        "`{path}` belongs to uid {owner}, not to you (uid {me}): refused, because that user could read what you run"
    )]
    ForeignOwner {
        /// The path.
        path: String,
        /// Its owner.
        owner: u32,
        /// The caller's effective uid.
        me: u32,
    },
    /// Others may write to the folder that holds the socket.
    #[error("the folder `{path}` can be written by others (mode {mode:o}): run `chmod 700 {path}`")]
    OpenFolder {
        /// The folder.
        path: String,
        /// Its mode bits.
        mode: u32,
    },
}

/// The socket's path: `SAFERUN_SOCKET`, else the system unit's if it stands, else under
/// `XDG_RUNTIME_DIR`, else `/tmp/saferun-UID/`.
///
/// # Errors
/// [`SocketPathError`] for a path that no socket can have.
pub fn socket_path() -> Result<PathBuf, SocketPathError> {
    let path = if let Some(set) = env::var_os("SAFERUN_SOCKET").filter(|set| !set.is_empty()) {
        let path = PathBuf::from(set);
        if !path.is_absolute() {
            return Err(SocketPathError::NotAbsolute {
                path: path.display().to_string(),
            });
        }
        path
    } else {
        let system = PathBuf::from("/run/saferun/saferund.sock");
        if fs::symlink_metadata(&system).is_ok() {
            system
        } else if let Some(dir) = env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute() && dir.is_dir())
        {
            dir.join("saferun/saferund.sock")
        } else {
            PathBuf::from(format!(
                "/tmp/saferun-{}/saferund.sock",
                nix::unistd::geteuid()
            ))
        }
    };
    let length = path.as_os_str().len();
    if length > 107 {
        return Err(SocketPathError::TooLong {
            path: path.display().to_string(),
            length,
        });
    }
    Ok(path)
}

/// Checks with `lstat` that a client may talk to this path: a socket, not a link, owned by the caller
/// or by root, in a folder that no third user can write to. A path where nothing stands is fine.
///
/// # Errors
/// [`SocketPathError`] naming what is wrong.
pub fn verify_socket(path: &Path) -> Result<(), SocketPathError> {
    let me = nix::unistd::geteuid().as_raw();
    let name = |path: &Path| path.display().to_string();
    if let Some(folder) = path.parent()
        && let Ok(meta) = fs::symlink_metadata(folder)
    {
        if meta.uid() != me && meta.uid() != 0 {
            return Err(SocketPathError::ForeignOwner {
                path: name(folder),
                owner: meta.uid(),
                me,
            });
        }
        if meta.mode() & 0o022 != 0 && meta.mode() & 0o1000 == 0 {
            return Err(SocketPathError::OpenFolder {
                path: name(folder),
                mode: meta.mode() & 0o7777,
            });
        }
    }
    let Ok(meta) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let kind = meta.file_type();
    if !kind.is_socket() {
        let found = match () {
            () if kind.is_symlink() => "symbolic link",
            () if kind.is_dir() => "folder",
            () if kind.is_fifo() => "FIFO",
            () => "file",
        };
        return Err(SocketPathError::NotASocket {
            path: name(path),
            found,
        });
    }
    if meta.uid() != me && meta.uid() != 0 {
        return Err(SocketPathError::ForeignOwner {
            path: name(path),
            owner: meta.uid(),
            me,
        });
    }
    Ok(())
}
