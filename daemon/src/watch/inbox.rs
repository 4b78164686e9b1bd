//! What the kernel told of a root and nobody looked at yet: one entry for each path, however often it
//! changed, and a bound, beyond which everything is looked at again.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Condvar, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Most paths that wait at a time.
pub(super) const MAX_TOUCHED: usize = 50_000;

/// What happened to a path, all of it together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Touch {
    /// Its writer closed it, or it was moved here whole.
    pub(super) complete: bool,
    /// It was created, removed or moved: a folder has to be looked at anew.
    pub(super) structure: bool,
    /// Somebody asks that it be judged again, changed or not.
    pub(super) again: bool,
}

/// All that waits.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) touched: HashMap<PathBuf, Touch>,
    /// Events were lost: why.
    pub(super) lost: Option<&'static str>,
    /// The mounts of this machine changed.
    pub(super) mounts: bool,
    /// The policy changed.
    pub(super) policy: bool,
    /// The root is to be left.
    pub(super) close: bool,
}

impl Taken {
    fn is_empty(&self) -> bool {
        self.touched.is_empty()
            && self.lost.is_none()
            && !self.mounts
            && !self.policy
            && !self.close
    }
}

/// Where the kernel's events and other requests wait for the root's thread.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Taken>,
    bell: Condvar,
}

impl Inbox {
    /// Adds to what happened to a path.
    pub(super) fn touch(&self, path: PathBuf, touch: Touch) {
        self.change(|waiting| {
            if waiting.lost.is_some() {
                // Everything is looked at anyway, but a request must not get lost with the events.
                if !touch.again {
                    return;
                }
            } else if waiting.touched.len() >= MAX_TOUCHED && !waiting.touched.contains_key(&path) {
                waiting.lost = Some("more files changed at once than are kept in mind");
                waiting.touched.retain(|_, touch| touch.again);
                return;
            }
            let entry = waiting.touched.entry(path).or_default();
            entry.complete |= touch.complete;
            entry.structure |= touch.structure;
            entry.again |= touch.again;
        });
    }

    /// Events were lost.
    pub(super) fn lost(&self, why: &'static str) {
        self.change(|waiting| waiting.lost = Some(why));
    }

    /// The mounts of this machine changed.
    pub(super) fn mounts_changed(&self) {
        self.change(|waiting| waiting.mounts = true);
    }

    /// The policy changed.
    pub(super) fn policy_changed(&self) {
        self.change(|waiting| waiting.policy = true);
    }

    /// The root is to be left.
    pub(super) fn close(&self) {
        self.change(|waiting| waiting.close = true);
    }

    /// Whether the root is to be left: asked during long work.
    pub(super) fn closing(&self) -> bool {
        self.lock().close
    }

    fn change(&self, change: impl FnOnce(&mut Taken)) {
        change(&mut self.lock());
        self.bell.notify_one();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is there or the time has come; without a time, as long as it takes.
    pub(super) fn take(&self, until: Option<Instant>) -> Taken {
        let mut waiting = self.lock();
        while waiting.is_empty() {
            let Some(until) = until else {
                waiting = self
                    .bell
                    .wait(waiting)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.bell.wait_timeout(waiting, left.min(LONGEST_WAIT));
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        // `close` stays, so that whoever asks later hears of it too.
        let close = waiting.close;
        let mut taken = std::mem::take(&mut *waiting);
        waiting.close = close;
        taken.close = close;
        taken
    }
}

/// Far beyond any deadline of ours; keeps the system call's argument small.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const CLOSED: Touch = Touch {
        complete: true,
        structure: false,
        again: false,
    };

    #[test]
    fn a_storm_on_one_file_is_one_entry() {
        let inbox = Inbox::default();
        for _ in 0..10_000 {
            inbox.touch("/w/a.py".into(), Touch::default());
        }
        inbox.touch("/w/a.py".into(), CLOSED);
        let taken = inbox.take(None);
        assert_eq!(taken.touched.len(), 1);
        assert!(taken.touched[Path::new("/w/a.py")].complete);
    }

    #[test]
    fn more_paths_than_the_bound_are_lost_aloud() {
        let inbox = Inbox::default();
        for number in 0..=MAX_TOUCHED {
            inbox.touch(format!("/w/{number}.py").into(), CLOSED);
        }
        let taken = inbox.take(None);
        assert!(taken.lost.is_some());
        assert!(taken.touched.is_empty());
    }
}
