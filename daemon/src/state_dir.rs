//! The daemon's own folder: made with mode 0700, locked by one daemon at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::fcntl::{Flock, FlockArg};

/// What stands in the lock's file while its holder drains.
const DRAINING: &[u8] = b"draining\n";
/// How long the next daemon waits for one that drains; its end takes no longer (a test in `boot.rs` adds it up).
pub(crate) const HAND_OVER: Duration = Duration::from_secs(25);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

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
    lock: Flock<File>,
}

impl StateDir {
    /// Makes the folder if need be, checks it, takes the lock. A daemon that drains is waited for.
    pub(crate) async fn open(path: &Path) -> Result<Self, StateDirError> {
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
        let name = path.join("saferund.lock");
        let deadline = Instant::now() + HAND_OVER;
        let mut file = file;
        let lock = loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => break lock,
                Err((back, _)) => file = back,
            }
            let drains = fs::read(&name).is_ok_and(|text| text == DRAINING);
            if !drains || Instant::now() > deadline {
                return Err(StateDirError::Locked {
                    path: path.display().to_string(),
                });
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        };
        lock.set_len(0).map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
        })
    }

    /// Tells the next daemon that this one drains, so that it waits for the folder.
    pub(crate) fn drains(&self) {
        if let Err(error) = (&*self.lock).write_all(DRAINING) {
            tracing::warn!(%error, "the next daemon cannot be told that this one drains");
        }
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_drains_is_waited_for_and_one_that_serves_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateDir::open(folder.path()).await.unwrap();
        let refused = StateDir::open(folder.path()).await;
        assert!(matches!(refused, Err(StateDirError::Locked { .. })));
        first.drains();
        let path = folder.path().to_owned();
        let next = tokio::spawn(async move { StateDir::open(&path).await });
        tokio::task::yield_now().await;
        assert!(!next.is_finished());
        drop(first);
        let next = next.await.unwrap().unwrap();
        // It serves: a third is told so at once.
        let third = StateDir::open(folder.path()).await;
        assert!(matches!(third, Err(StateDirError::Locked { .. })));
        drop(next);
    }
}
