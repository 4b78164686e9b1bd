//! The handle to the places: a guard for each run. The lock is held for look-ups only, never across an await.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_protocol::Code;
use tokio::sync::oneshot;

use super::places::{Answer, Places, Ticket, Want};

#[derive(Default)]
struct Inner {
    places: Places,
    calls: HashMap<Ticket, oneshot::Sender<()>>,
}

/// Gives out places. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Gate {
    inner: Arc<Mutex<Inner>>,
}

/// A place, or a place in the queue for one. Dropping it gives it back.
pub(crate) struct Place {
    gate: Gate,
    ticket: Ticket,
    call: Option<oneshot::Receiver<()>>,
}

impl Gate {
    /// A place, or one in the queue.
    ///
    /// # Errors
    /// The queue of this user is full.
    pub(crate) fn enter(&self, want: Want) -> Result<Place, ErrorObjectOwned> {
        self.with(|inner| {
            let (ticket, answer) = inner.places.ask(want);
            let call = match answer {
                Answer::Granted => None,
                Answer::Waits => {
                    let (call, hears) = oneshot::channel();
                    inner.calls.insert(ticket, call);
                    Some(hears)
                }
                Answer::Full { waiting } => return Err(busy(waiting, &want)),
            };
            Ok(Place {
                gate: self.clone(),
                ticket,
                call,
            })
        })
    }

    // A panic while the lock was held is a fault that no place survives anyway: each use is one step.
    fn with<T>(&self, use_it: impl FnOnce(&mut Inner) -> T) -> T {
        use_it(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Place {
    /// Waits for the run's turn.
    pub(crate) async fn turn(&mut self) {
        if let Some(call) = &mut self.call {
            // The sender is dropped only after it was used.
            let _ = call.await;
            self.call = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.with(|inner| {
            inner.calls.remove(&self.ticket);
            for ticket in inner.places.leave(self.ticket) {
                if let Some(call) = inner.calls.remove(&ticket) {
                    let _ = call.send(());
                }
            }
        });
    }
}

fn busy(waiting: usize, want: &Want) -> ErrorObjectOwned {
    let places = if want.person {
        want.concurrency
    } else {
        want.shared
    };
    Code::Busy.error(
        format!(
            "all {places} places for runs at the same time are taken and {waiting} runs wait (limits.concurrency, limits.queue)"
        ),
        "try again when one has ended; `saferunctl ps` lists them",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn want(queue: u32) -> Want {
        Want {
            uid: 1,
            source: 1,
            person: true,
            concurrency: 1,
            shared: 1,
            queue,
        }
    }

    #[tokio::test]
    async fn a_dropped_guard_calls_the_next_one() {
        let gate = Gate::default();
        let mut first = gate.enter(want(1)).ok().unwrap();
        first.turn().await;
        let mut second = gate.enter(want(1)).ok().unwrap();
        let waits = tokio::time::timeout(Duration::from_millis(20), second.turn()).await;
        assert!(waits.is_err());
        let full = gate.enter(want(1)).err().unwrap();
        assert_eq!(full.code(), Code::Busy.number());
        drop(first);
        second.turn().await;
        drop(second);
        assert!(gate.with(|inner| inner.calls.is_empty()));
        gate.enter(want(0)).ok().unwrap().turn().await;
    }

    #[tokio::test]
    async fn one_that_gives_up_waiting_leaves_nothing_behind() {
        let gate = Gate::default();
        let first = gate.enter(want(1)).ok().unwrap();
        drop(gate.enter(want(1)).ok().unwrap());
        assert!(
            gate.enter(want(1)).is_ok(),
            "the place in the queue is free again"
        );
        drop(first);
    }
}
