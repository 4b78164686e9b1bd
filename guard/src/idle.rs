//! Threads that have done their work and wait for more, a few of them and not for long. Knows nothing of crashes: a thread
//! that crashes does not come back.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, ThreadId},
    time::Duration,
};

/// Threads that may wait at the same time.
const MOST: usize = 8;
/// How long one waits.
const WAIT: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

static IDLE: Mutex<Vec<(ThreadId, mpsc::SyncSender<Job>)>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<(ThreadId, mpsc::SyncSender<Job>)>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has a waiting thread do this, else a new one.
pub(crate) fn run(mut job: Job) -> Result<(), String> {
    loop {
        // The one that came last has its memory still at hand.
        let Some((_, waiting)) = idle().pop() else {
            break;
        };
        match waiting.send(job) {
            Ok(()) => return Ok(()),
            Err(mpsc::SendError(back)) => job = back,
        }
    }
    thread::Builder::new()
        .name("guarded".to_owned())
        .spawn(move || work(job))
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn work(mut job: Job) {
    loop {
        job();
        let Some(next) = next() else { return };
        job = next;
    }
}

/// Waits for more work; `None` if there is none, or if enough others wait.
fn next() -> Option<Job> {
    let own = thread::current().id();
    // Room for one: whoever takes the sender out of the list sends once.
    let (send, receive) = mpsc::sync_channel(1);
    {
        let mut idle = idle();
        if idle.len() >= MOST {
            return None;
        }
        idle.push((own, send));
    }
    if let Ok(job) = receive.recv_timeout(WAIT) {
        return Some(job);
    }
    // Out of the list its sender is gone, and with it the wait; taken in this moment, it brings a job.
    idle().retain(|(id, _)| *id != own);
    receive.recv().ok()
}
