//! Requests that have begun and are not there yet: so many bytes of all connections together, and so long for each. Whoever
//! sends half of many keeps nobody out: when there is no room, the oldest of them ends.

use std::{
    collections::BTreeMap,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Bytes of half-sent requests at once: ten of the largest.
const MOST: u64 = 128 * 1024 * 1024;
/// A request counts from so many bytes on: with the most connections there may be, all others take 64 MiB at most.
const COUNTS: u64 = 256 * 1024;
/// From its first byte to its last. The way is a socket of this machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The room for all of them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Room {
    taken: Arc<Mutex<Taken>>,
    most: u64,
    patience: Duration,
}

#[derive(Default)]
struct Taken {
    bytes: u64,
    next: u64,
    /// Those that count, the oldest first.
    all: BTreeMap<u64, (u64, CancellationToken)>,
}

/// One request on its way. Its room is given back when it is dropped.
pub(super) struct HalfSent {
    room: Room,
    number: Option<u64>,
    gone: CancellationToken,
    told: Pin<Box<WaitForCancellationFutureOwned>>,
    late: Pin<Box<Sleep>>,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MOST, PATIENCE)
    }
}

impl Room {
    pub(super) fn of(most: u64, patience: Duration) -> Self {
        let taken = Arc::default();
        Self {
            taken,
            most,
            patience,
        }
    }

    /// A request begins.
    pub(super) fn begin(&self) -> HalfSent {
        let gone = CancellationToken::new();
        HalfSent {
            room: self.clone(),
            number: None,
            told: Box::pin(gone.clone().cancelled_owned()),
            gone,
            late: Box::pin(sleep(self.patience)),
        }
    }

    fn locked(&self) -> MutexGuard<'_, Taken> {
        // Nothing in it panics half-way.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn give_up(&mut self, number: u64) -> Option<CancellationToken> {
        let (bytes, gone) = self.all.remove(&number)?;
        self.bytes = self.bytes.saturating_sub(bytes);
        Some(gone)
    }
}

impl HalfSent {
    /// So much of it is there. The oldest make room for it, and it may be the oldest itself.
    ///
    /// # Errors
    /// It is given up.
    pub(super) fn holds(&mut self, bytes: u64) -> io::Result<()> {
        if bytes <= COUNTS {
            return Ok(());
        }
        let mut taken = self.room.locked();
        let number = self.number.unwrap_or(taken.next);
        if self.number.is_none() {
            self.number = Some(number);
            taken.next += 1;
            taken.all.insert(number, (0, self.gone.clone()));
        }
        let Some((own, _)) = taken.all.get_mut(&number) else {
            return Err(no_room());
        };
        let more = bytes.saturating_sub(*own);
        *own += more;
        taken.bytes += more;
        while taken.bytes > self.room.most {
            let Some((&oldest, _)) = taken.all.first_key_value() else {
                break;
            };
            if let Some(gone) = taken.give_up(oldest) {
                gone.cancel();
            }
        }
        if taken.all.contains_key(&number) {
            Ok(())
        } else {
            Err(no_room())
        }
    }

    /// Asked while nothing more of it comes: ready with why it is given up.
    pub(super) fn poll_given_up(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        if self.told.as_mut().poll(context).is_ready() {
            return Poll::Ready(no_room());
        }
        ready!(self.late.as_mut().poll(context));
        let late = "the request came too slowly";
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, late))
    }
}

impl Drop for HalfSent {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.room.locked().give_up(number);
        }
    }
}

fn no_room() -> io::Error {
    let why = "too many large requests were on their way at once, and this one for the longest";
    io::Error::new(io::ErrorKind::OutOfMemory, why)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const LARGE: u64 = 4 * COUNTS;

    #[tokio::test]
    async fn the_oldest_makes_room_and_what_ends_gives_its_room_back() {
        let room = Room::of(2 * LARGE, PATIENCE);
        let (mut first, mut second, mut third) = (room.begin(), room.begin(), room.begin());
        first.holds(LARGE).unwrap();
        second.holds(LARGE / 2).unwrap();
        second.holds(LARGE).unwrap();
        third.holds(COUNTS).unwrap();
        assert_eq!(room.locked().bytes, 2 * LARGE, "small ones do not count");
        third.holds(LARGE).unwrap();
        let why = poll_fn(|context| first.poll_given_up(context)).await;
        assert_eq!(why.kind(), io::ErrorKind::OutOfMemory);
        assert!(first.holds(LARGE + 1).is_err(), "it stays given up");
        drop(second);
        assert_eq!(room.locked().bytes, LARGE);
        drop((first, third));
        let taken = room.locked();
        assert_eq!((taken.bytes, taken.all.len()), (0, 0));
    }

    #[tokio::test]
    async fn one_alone_cannot_take_more_than_there_is() {
        let room = Room::of(LARGE, PATIENCE);
        let mut only = room.begin();
        only.holds(LARGE).unwrap();
        assert!(only.holds(LARGE + 1).is_err());
        assert_eq!(room.locked().bytes, 0);
    }

    #[tokio::test]
    async fn a_small_one_is_not_waited_for_longer_than_a_large_one() {
        let room = Room::of(LARGE, Duration::from_millis(1));
        let mut small = room.begin();
        small.holds(1).unwrap();
        let why = poll_fn(|context| small.poll_given_up(context)).await;
        assert_eq!(why.kind(), io::ErrorKind::TimedOut);
    }
}
