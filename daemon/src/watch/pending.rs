//! When a changed file is looked at: at once when its writer closed it, at rest when it is still open,
//! and not too often. Pure: the caller passes the time.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// A file that is written without being closed rests when so long nothing was written.
pub(super) const REST: Duration = Duration::from_millis(300);
/// A file that never rests is looked at all the same after so long, so that nobody hides by writing on.
pub(super) const LONGEST: Duration = Duration::from_secs(5);
/// A file is looked at no more often than this.
pub(super) const APART: Duration = Duration::from_millis(200);
/// A file that is gone may be back in a moment: many editors save that way.
pub(super) const BACK: Duration = Duration::from_millis(100);

/// What was seen of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Closed by its writer, or moved into place.
    Complete,
    /// Written, perhaps not for the last time.
    Written,
    /// Not there.
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    due: Instant,
    since: Instant,
}

/// The files that wait.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waits: HashMap<PathBuf, Wait>,
    order: BTreeSet<(Instant, PathBuf)>,
    looked: HashMap<PathBuf, Instant>,
}

impl Pending {
    /// Something was seen of a file.
    pub(super) fn seen(&mut self, path: &Path, seen: Seen, now: Instant) {
        let earlier = self.waits.get(path).copied();
        let since = earlier.map_or(now, |wait| wait.since);
        let due = match seen {
            Seen::Complete => now,
            Seen::Written => (now + REST).min(since + LONGEST),
            Seen::Gone => now + BACK,
        };
        let due = match self.looked.get(path) {
            Some(looked) => due.max(*looked + APART),
            None => due,
        };
        if let Some(wait) = earlier {
            self.order.remove(&(wait.due, path.to_owned()));
        }
        self.waits.insert(path.to_owned(), Wait { due, since });
        self.order.insert((due, path.to_owned()));
    }

    /// Those whose time has come, at most `most`.
    pub(super) fn due(&mut self, now: Instant, most: usize) -> Vec<PathBuf> {
        self.looked.retain(|_, looked| *looked + APART > now);
        let mut due = Vec::new();
        while due.len() < most && self.order.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, path)) = self.order.pop_first() else {
                break;
            };
            self.waits.remove(&path);
            self.looked.insert(path.clone(), now);
            due.push(path);
        }
        due
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_closed_file_is_due_at_once_but_not_again_at_once() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let file = Path::new("a.py");
        pending.seen(file, Seen::Complete, start);
        assert_eq!(pending.due(start, 10), [file]);
        pending.seen(file, Seen::Complete, start + ms(10));
        assert!(pending.due(start + ms(150), 10).is_empty());
        assert_eq!(pending.due(start + ms(200), 10), [file]);
    }

    #[test]
    fn a_file_being_written_waits_for_its_rest() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let file = Path::new("a.py");
        for step in 0..10 {
            pending.seen(file, Seen::Written, start + ms(step * 100));
            assert!(pending.due(start + ms(step * 100), 10).is_empty());
        }
        assert!(pending.due(start + ms(1_100), 10).is_empty());
        assert_eq!(pending.due(start + ms(1_200), 10), [file]);
        assert_eq!(pending.next(), None);
    }

    #[test]
    fn a_file_that_never_rests_does_not_hide() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let file = Path::new("a.py");
        let mut looked = 0;
        for step in 0..1_000 {
            let now = start + ms(step * 20);
            pending.seen(file, Seen::Written, now);
            looked += pending.due(now, 10).len();
        }
        assert_eq!(looked, 3, "20 s of writing, looked at every 5 s");
    }

    #[test]
    fn a_file_that_comes_back_is_never_seen_as_gone() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        let file = Path::new("a.py");
        pending.seen(file, Seen::Gone, start);
        assert!(pending.due(start + ms(50), 10).is_empty());
        pending.seen(file, Seen::Complete, start + ms(60));
        assert_eq!(pending.due(start + ms(60), 10), [file]);
        assert_eq!(pending.next(), None);
    }
}
