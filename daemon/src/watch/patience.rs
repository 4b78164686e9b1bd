//! Work on files that may never end, because their file system hangs: done on threads of its own, waited for with a
//! deadline, and bounded in number, so that what hangs takes nothing else with it.

use std::{io, time::Duration};

use jsonrpsee::types::ErrorObjectOwned;
use saferun_protocol::Code;
use tokio::sync::Semaphore;

/// How long a file system may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Threads that may hang at a time over what the watch itself found. With [`ASKED`] a small part of those that the whole
/// daemon has (`boot`).
static FOUND: Semaphore = Semaphore::const_new(4);
/// The same over paths that a client named: these take no place of the others.
static ASKED: Semaphore = Semaphore::const_new(4);

/// Does something with files that the watch found, and gives up on it after 10 s; it may then still be done later.
///
/// # Errors
/// `TimedOut`, or what ended the thread.
pub(super) async fn patiently<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    within(PATIENCE, &FOUND, work).await
}

/// The same with paths that a client named, in a request: its error is an answer.
pub(crate) async fn asked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorObjectOwned> + Send + 'static,
) -> Result<T, ErrorObjectOwned> {
    let done = within(PATIENCE, &ASKED, work).await;
    done.unwrap_or_else(|error| {
        let told = format!("the watch failed: {error}");
        Err(match error.kind() {
            io::ErrorKind::TimedOut => Code::Busy.error(
                told,
                "if a network's folder is named there, look whether it answers",
            ),
            _ => Code::Internal.error(told, "see the daemon's log"),
        })
    })
}

async fn within<T: Send + 'static>(
    patience: Duration,
    places: &'static Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let slow = || io::Error::new(io::ErrorKind::TimedOut, "the file system does not answer");
    let done = async {
        let place = places.acquire().await.map_err(io::Error::other)?;
        let job = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        job.await.map_err(io::Error::other)
    };
    tokio::time::timeout(patience, done)
        .await
        .unwrap_or_else(|_| Err(slow()))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn what_hangs_is_given_up_and_bounds_what_hangs_beside_it() {
        static TWO: Semaphore = Semaphore::const_new(2);
        let short = Duration::from_millis(20);
        let mut held = Vec::new();
        for _ in 0..2 {
            let (release, hang) = mpsc::channel::<()>();
            held.push(release);
            let ended = within(short, &TWO, move || hang.recv().is_ok()).await;
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        let third = within(short, &TWO, || 1).await;
        assert_eq!(third.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(held);
        let free = within(Duration::from_secs(20), &TWO, || 1).await;
        assert_eq!(free.unwrap(), 1);
    }
}
