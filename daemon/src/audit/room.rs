//! Room for the ends of runs: a start is taken only where the file system has place for what its end may write, so that a
//! run that cannot be recorded whole is refused before it begins. Others may still fill the disk while it runs.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use nix::sys::statvfs::statvfs;

/// What an end takes besides the output, in bytes: its head, the result with its findings, pages of the write-ahead log.
const SPARE: u64 = 1 << 20;

/// What the end of a run may take, in bytes, where so many of each stream are kept.
pub(super) const fn of_end(kept: u64) -> u64 {
    SPARE.saturating_add(kept.saturating_mul(2))
}

/// Bytes that are left to an ordinary user beside this file; [`u64::MAX`] where the file system names no size.
///
/// # Errors
/// The system does not say.
pub(super) fn left(beside: &Path) -> io::Result<u64> {
    let folder = beside.parent().unwrap_or(beside);
    let about = statvfs(folder)?;
    if about.blocks() == 0 {
        return Ok(u64::MAX);
    }
    Ok(about
        .blocks_available()
        .saturating_mul(about.fragment_size()))
}

/// What was promised to runs whose end is still to come.
#[derive(Debug, Default)]
pub(super) struct Promises(Arc<AtomicU64>);

impl Promises {
    /// Sets so many bytes aside for an end, if they, all that was promised and `now` are left.
    ///
    /// # Errors
    /// How many bytes would be needed.
    pub(super) fn give(&self, bytes: u64, now: u64, left: u64) -> Result<Promise, u64> {
        let needed = self
            .0
            .load(Ordering::Relaxed)
            .saturating_add(bytes)
            .saturating_add(now);
        if needed > left {
            return Err(needed);
        }
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Ok(Promise(Some((Arc::clone(&self.0), bytes))))
    }
}

/// Room for one end, given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Promise(Option<(Arc<AtomicU64>, u64)>);

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some((all, bytes)) = &self.0 {
            all.fetch_sub(*bytes, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_promised_than_is_left_and_an_end_gives_it_back() {
        let promises = Promises::default();
        let first = promises.give(60, 10, 100).unwrap();
        assert_eq!(promises.give(60, 0, 100).unwrap_err(), 120);
        let second = promises.give(40, 0, 100).unwrap();
        assert_eq!(promises.give(0, 1, 100).unwrap_err(), 101);
        drop(first);
        assert_eq!(promises.give(60, 1, 100).unwrap_err(), 101);
        drop((promises.give(60, 0, 100).unwrap(), second));
        promises.give(100, 0, 100).unwrap();
        assert_eq!(of_end(u64::MAX), u64::MAX);
    }

    #[test]
    fn what_is_left_is_asked_of_the_folder_and_an_error_is_no_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(left(&folder.path().join("audit.sqlite")).unwrap() > 0);
        assert!(left(&folder.path().join("none/audit.sqlite")).is_err());
    }
}
