//! Ends of runs that could not be written when they came: kept until the record can be written again, and no more of them
//! than fit here. What is kept is in memory alone: a daemon that is killed meanwhile leaves those runs `interrupted`.

use std::collections::VecDeque;

use tokio::sync::watch;

use super::{NewEvent, entry::Kind, store::room};

/// Most ends that wait.
const MOST: usize = 64;
/// Most that they take, in bytes.
const MOST_BYTES: u64 = 32 << 20;

/// The ends that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Late {
    events: VecDeque<NewEvent>,
    bytes: u64,
    /// For who asks from another thread.
    count: watch::Sender<usize>,
}

impl Late {
    pub(super) fn new(count: watch::Sender<usize>) -> Self {
        Self {
            count,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What they take.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps an end; everything else was refused to who asked for it, and says nothing later.
    pub(super) fn keep(&mut self, event: NewEvent) {
        if event.kind != Kind::End {
            return;
        }
        let bytes = self.bytes.saturating_add(room(&event));
        if self.events.len() >= MOST || bytes > MOST_BYTES {
            tracing::warn!(run = %event.run, "its end is not kept for later: too many wait already");
            return;
        }
        self.bytes = bytes;
        self.events.push_back(event);
        self.told();
    }

    /// The one that has waited for longest.
    pub(super) fn first(&self) -> Option<&NewEvent> {
        self.events.front()
    }

    /// It is written, or has no place any more.
    pub(super) fn done(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.bytes = self.bytes.saturating_sub(room(&event));
        }
        self.told();
    }

    fn told(&self) {
        self.count.send_replace(self.events.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, bytes: usize) -> NewEvent {
        let bodies = vec![("stdout", vec![0; bytes])];
        NewEvent::new(kind, "one".to_owned(), 0, 0, &(), bodies)
    }

    #[test]
    fn ends_alone_are_kept_and_no_more_than_fit() {
        let count = watch::Sender::new(0);
        let mut late = Late::new(count.clone());
        for kind in [Kind::Start, Kind::Quarantine, Kind::Retention] {
            late.keep(event(kind, 0));
        }
        assert!(late.is_empty());
        for _ in 0..2 {
            for _ in 0..=MOST {
                late.keep(event(Kind::End, 0));
            }
            assert_eq!(*count.borrow(), MOST);
            while late.first().is_some() {
                late.done();
            }
            assert_eq!((*count.borrow(), late.bytes), (0, 0));
        }
        for _ in 0..4 {
            late.keep(event(Kind::End, 12 << 20));
        }
        assert_eq!(*count.borrow(), 2);
    }
}
