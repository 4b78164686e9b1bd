//! Work that takes a processor for long, kept away from the threads that answer everybody: at most so much of it at
//! once as there are processors, however many ask. What it works on is the memory that it takes, so this bounds both.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_guard::apart;
use saferun_protocol::Code;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

/// How long a request waits for its turn. The slowest scan that a policy allows takes a second or two.
const PATIENCE: Duration = Duration::from_secs(30);
/// However many processors there are: each turn is a thread of those that the daemon has for all that may take long.
const MOST: usize = 16;
/// From so many bytes on, work is not done on a thread that answers: hashing and searching them takes a millisecond.
const LIGHT: usize = 256 * 1024;

/// Turns for heavy work. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    patience: Duration,
}

/// Where the part of some work is done that may crash.
pub(crate) enum Risky {
    /// On the thread that does the work: to be done within [`saferun_guard::told`], which is given this. A crash ends the
    /// work there, and it is begun anew.
    Here(Box<dyn FnOnce(String)>),
    /// Each piece on a thread of its own, so that a crash is that of one piece alone.
    Apart,
}

impl Default for Turns {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self::of(cores.clamp(2, MOST), PATIENCE)
    }
}

impl Turns {
    /// One at a time.
    pub(crate) fn one() -> Self {
        Self::of(1, PATIENCE)
    }

    fn of(count: usize, patience: Duration) -> Self {
        let free = Arc::new(Semaphore::new(count));
        Self { free, patience }
    }

    /// Does the work on a thread that may take its time, once it is its turn. It goes on when its asker goes away, and
    /// keeps its turn till it is done.
    ///
    /// # Errors
    /// It did not get its turn in time, or it crashed.
    pub(crate) async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ErrorObjectOwned> {
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await
            .map_err(|error| Code::Internal.error(error.to_string(), "see the daemon's log"))
    }

    /// As [`Turns::take`], of work with a part that may crash. All of it is done on one thread, which saves two changes of
    /// thread; only when the part crashed there it is done once more, with that part apart. It must not have done
    /// anything before that part.
    ///
    /// # Errors
    /// It did not get its turn in time, or crashed outside of that part.
    pub(crate) async fn guarded<T: Send + 'static>(
        &self,
        work: impl Fn(Risky) -> T + Send + Sync + 'static,
    ) -> Result<T, ErrorObjectOwned> {
        let turn = self.turn().await?;
        let work = Arc::new(work);
        let (reply, answer) = oneshot::channel();
        // A thread that crashed keeps all that it has for ever: whoever waits, and the turn, are not among it.
        let waits = Arc::new(Mutex::new(Some((reply, turn))));
        let take = |waits: &Mutex<Option<_>>| {
            let mut waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
            waits.take()
        };
        let (first, crashed) = (Arc::clone(&work), Arc::clone(&waits));
        let begun = apart(move || {
            let done = first(Risky::Here(Box::new(move |_| drop(take(&crashed)))));
            if let Some((reply, turn)) = take(&waits) {
                drop(turn);
                // Whoever asked may be gone.
                let _ = reply.send(done);
            }
        });
        if begun.is_ok()
            && let Ok(done) = answer.await
        {
            return Ok(done);
        }
        self.take(move || work(Risky::Apart)).await
    }

    /// One turn, given back when it is dropped.
    ///
    /// # Errors
    /// It did not come in time.
    pub(crate) async fn turn(&self) -> Result<OwnedSemaphorePermit, ErrorObjectOwned> {
        match timeout(self.patience, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Code::Busy.error(
                format!(
                    "too much else was asked at once: it was not this request's turn within {} s",
                    self.patience.as_secs()
                ),
                "try again in a moment",
            )),
        }
    }
}

/// Whether work over so many bytes is nothing for a thread that answers.
pub(crate) const fn is_heavy(bytes: usize) -> bool {
    bytes > LIGHT
}

/// Does work over so many bytes where it stands, and if they are many, has another thread answer meanwhile.
pub(crate) fn in_place<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let several = Handle::try_current()
        .is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if is_heavy(bytes) && several {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn never_more_at_once_than_there_are_turns_and_nobody_is_lost() {
        let turns = Turns::of(2, PATIENCE);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut all = tokio::task::JoinSet::new();
        for index in 0..40 {
            let (turns, now, most) = (turns.clone(), Arc::clone(&now), Arc::clone(&most));
            all.spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                    index
                };
                turns.take(work).await.unwrap()
            });
        }
        let mut done = Vec::new();
        while let Some(index) = all.join_next().await {
            done.push(index.unwrap());
        }
        done.sort_unstable();
        assert_eq!(done, (0..40).collect::<Vec<_>>());
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn what_crashed_on_the_way_is_done_again_apart_and_keeps_no_turn() {
        use saferun_guard::told;
        let turns = Turns::one();
        let done = turns.guarded(|risky| match risky {
            Risky::Here(report) => told(report, || 7),
            Risky::Apart => 8,
        });
        assert_eq!(done.await.unwrap(), 7);
        let again = turns.guarded(|risky| match risky {
            Risky::Here(report) => told(report, || panic!("a bug")),
            Risky::Apart => 9,
        });
        assert_eq!(again.await.unwrap(), 9);
        assert_eq!(turns.free.available_permits(), 1);
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so() {
        let turns = Turns::of(0, Duration::from_millis(5));
        let error = turns.take(|| ()).await.unwrap_err();
        assert_eq!(error.code(), Code::Busy.number());
    }

    #[tokio::test]
    async fn one_thread_does_heavy_work_itself() {
        assert_eq!(in_place(LIGHT + 1, || 7), 7);
    }
}
