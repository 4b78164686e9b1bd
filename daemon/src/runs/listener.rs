//! Whoever listens to a run: to each of its events, or to its end alone. Knows nothing of what is said.

use saferun_protocol::Event;
use tokio::sync::mpsc::{Permit, Sender, error::SendError};

/// Where the events of a run go. Its other end being dropped means that nobody listens.
pub(crate) struct Listener {
    events: Sender<Event>,
    hears: bool,
}

impl Listener {
    /// One that is told everything.
    pub(crate) fn of_all(events: Sender<Event>) -> Self {
        let hears = true;
        Self { events, hears }
    }

    /// One that waits for the result and is told nothing before: only whether it is still there is asked of the other end.
    /// Events that nobody reads would wake a thread each, beside the run that they are about.
    pub(crate) fn of_the_end(events: Sender<Event>) -> Self {
        let hears = false;
        Self { events, hears }
    }

    /// Whether it is told events at all.
    pub(super) const fn hears(&self) -> bool {
        self.hears
    }

    /// Returns when nobody listens any more.
    pub(super) async fn closed(&self) {
        self.events.closed().await;
    }

    /// A place in the reader's queue.
    pub(super) async fn reserve(&self) -> Result<Permit<'_, Event>, SendError<()>> {
        self.events.reserve().await
    }

    /// Tells an event, once the reader's queue has room; `false` if nobody listens.
    pub(super) async fn tell(&self, event: Event) -> bool {
        !self.hears || self.events.send(event).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn who_waits_for_the_end_is_told_nothing_and_missed_all_the_same() {
        let (send, mut inbox) = mpsc::channel(1);
        let all = Listener::of_all(send.clone());
        assert!(all.tell(Event::Started).await);
        assert_eq!(inbox.recv().await, Some(Event::Started));
        let end = Listener::of_the_end(send);
        for _ in 0..3 {
            assert!(end.tell(Event::Started).await, "no queue to be full");
        }
        assert!(inbox.try_recv().is_err());
        drop(inbox);
        end.closed().await;
        assert!(!all.tell(Event::Started).await);
    }
}
