//! Places for connections: a bound for each uid, and who goes when all are taken. Pure but for a lock.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Connections of one uid at once.
pub(super) const MAX_CONNECTIONS: usize = 256;

/// Connections of each uid.
#[derive(Clone, Default)]
pub(super) struct Seats(Arc<Mutex<HashMap<u32, Taken>>>);

#[derive(Default)]
struct Taken {
    count: usize,
    next: u64,
    /// Those that have not asked anything yet, the oldest first.
    silent: BTreeMap<u64, CancellationToken>,
}

/// One connection's place; given back when dropped.
pub(super) struct Seat {
    seats: Seats,
    uid: u32,
    number: u64,
    gone: CancellationToken,
}

impl Seats {
    /// A place, if need be that of the connection which has been silent for longest: whoever holds many open and asks
    /// nothing keeps nobody out. `None` if all of them are in use.
    pub(super) fn take(&self, uid: u32) -> Option<Seat> {
        let mut all = self.locked();
        let taken = all.entry(uid).or_default();
        if taken.count >= MAX_CONNECTIONS {
            let (_, oldest) = taken.silent.pop_first()?;
            oldest.cancel();
        } else {
            taken.count += 1;
        }
        let (number, gone) = (taken.next, CancellationToken::new());
        taken.next += 1;
        taken.silent.insert(number, gone.clone());
        Some(Seat {
            seats: self.clone(),
            uid,
            number,
            gone,
        })
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<u32, Taken>> {
        // A count is never left half-changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// It has asked something: its place is its own from now on.
    pub(super) fn speaks(&self) {
        if let Some(taken) = self.seats.locked().get_mut(&self.uid) {
            taken.silent.remove(&self.number);
        }
    }

    /// Cancelled when the place was given to another.
    pub(super) fn gone(&self) -> CancellationToken {
        self.gone.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.locked();
        if let Some(taken) = all.get_mut(&self.uid) {
            taken.silent.remove(&self.number);
            // The count of a place that was given to another went with it.
            if !self.gone.is_cancelled() {
                taken.count = taken.count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_silent_make_room_and_those_who_speak_stay() {
        let seats = Seats::default();
        let mut held: Vec<Seat> = (0..MAX_CONNECTIONS)
            .map(|_| seats.take(7).expect("room"))
            .collect();
        held[0].speaks();
        let more = seats.take(7).expect("the place of a silent one");
        assert!(!held[0].gone().is_cancelled());
        assert!(held[1].gone().is_cancelled());
        // Nobody else's places are touched.
        assert!(seats.take(8).is_some());
        more.speaks();
        held.iter().for_each(Seat::speaks);
        assert!(seats.take(7).is_none(), "all speak");
        // The evicted one's end frees nothing, another's end does.
        drop(held.remove(1));
        assert!(seats.take(7).is_none());
        drop(held.remove(0));
        assert!(seats.take(7).is_some());
    }
}
