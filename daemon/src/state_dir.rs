//! The daemon's own folder: made with mode 0700, locked by one daemon at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateDirError {
    /// It cannot be made or read.
    #[error("the state folder {path} cannot be used: {source}")]
    Io {
        /// The folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Others may write to it.
    #[error(
        "the state folder {path} belongs to uid {owner} with mode {mode:o}: it must be yours, with mode 700"
    )]
    Unsafe {
        /// The folder.
        path: String,
        /// Its owner.
        owner: u32,
        /// Its mode bits.
        mode: u32,
    },
    /// Another daemon holds the lock.
    #[error(
        "another saferund already uses {path}: talk to that one, or set SAFERUN_STATE_DIR and SAFERUN_SOCKET for a second"
    )]
    Locked {
        /// The folder.
        path: String,
    },
}

/// The folder, locked as long as this lives.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
    _lock: Flock<File>,
}

impl StateDir {
    /// Makes the folder if need be, checks it, takes the lock.
    pub(crate) fn open(path: &Path) -> Result<Self, StateDirError> {
        let io = |source| StateDirError::Io {
            path: path.display().to_string(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io)?;
        let meta = fs::metadata(path).map_err(io)?;
        let me = nix::unistd::geteuid().as_raw();
        if meta.uid() != me || meta.mode() & 0o022 != 0 {
            return Err(StateDirError::Unsafe {
                path: path.display().to_string(),
                owner: meta.uid(),
                mode: meta.mode() & 0o7777,
            });
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("saferund.lock"))
            .map_err(io)?;
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|_| {
            StateDirError::Locked {
                path: path.display().to_string(),
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}
