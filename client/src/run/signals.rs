//! Ctrl-C and its like. A thread of its own waits for them, so that they count even while the output
//! is stuck in a pipe that nobody reads. What must not end in the middle is held.

use std::{
    fs,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc as blocking,
    },
    thread,
    time::Duration,
};

use nix::sys::signal::{SigSet, Signal};
use tokio::sync::mpsc;

use crate::{exit, ui};

/// Ends the process if the run could not be ended in an orderly way.
const LATEST: Duration = Duration::from_millis(2500);
/// What is left to say after what was held, before the process ends.
const LAST_WORD: Duration = Duration::from_secs(5);

/// Whether somebody asked for the end.
static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether there is no run any more that would have to be ended first.
static OVER: AtomicBool = AtomicBool::new(false);
/// Whoever has it does what must not end in the middle.
static HELD: Mutex<()> = Mutex::new(());

/// The first request to end, as something to wait for.
#[derive(Debug)]
pub(crate) struct Signals(mpsc::Receiver<()>);

impl Signals {
    /// Waits for the first SIGINT, SIGTERM or SIGHUP.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// While it lives no signal ends the process, but SIGKILL and SIGQUIT. Nothing that can wait for a reader may be done
/// under it.
#[derive(Debug)]
pub(crate) struct Held(#[expect(dead_code, reason = "is held")] MutexGuard<'static, ()>);

/// Begins something that must not end in the middle. It looks at [`asked`] where it may stop.
pub(crate) fn hold() -> Held {
    Held(HELD.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Whether the end was asked for since the watch began.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// From here on there is no run to be ended: the next signal ends the process at once, unless something is held.
pub(crate) fn run_is_over() {
    OVER.store(true, Ordering::SeqCst);
}

/// Begins to watch. The second signal ends the process at once, from the watching thread.
pub(crate) fn watch() -> Signals {
    let (sender, receiver) = mpsc::channel(1);
    let mut set = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        set.add(signal);
    }
    // Blocked here and in every thread to come, so that only `wait` takes them.
    if set.thread_block().is_ok() {
        let _ = thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let mut first = Some(sender);
                while let Ok(signal) = set.wait() {
                    if ignored(signal) {
                        continue;
                    }
                    ASKED.store(true, Ordering::SeqCst);
                    let Some(sender) = first.take().filter(|_| !OVER.load(Ordering::SeqCst)) else {
                        leave()
                    };
                    let _ = sender.try_send(());
                    leave_after(LATEST);
                    // Dropping the sender would end `next`; it is kept until the process ends.
                    std::mem::forget(sender);
                }
            });
    }
    Signals(receiver)
}

/// Ends the process, once nothing is held.
fn leave() -> ! {
    let _free = HELD.try_lock().unwrap_or_else(|_| {
        let free = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        // What was held has stopped for the signal, and says so; then the process ends by itself.
        let (_keep, never) = blocking::channel::<()>();
        let _ = never.recv_timeout(LAST_WORD);
        free
    });
    ui::leave(exit::CANCELLED)
}

fn leave_after(time: Duration) {
    let body = move || {
        let (_keep, never) = blocking::channel::<()>();
        let _ = never.recv_timeout(time);
        // Standard error may be stuck in the same pipe: whoever writes to it is not waited for.
        let _ = thread::Builder::new().spawn(|| {
            if !OVER.load(Ordering::SeqCst) {
                ui::note(
                    "saferunctl: interrupted, but what it waited for did not end in time; the daemon ends a run that nobody waits for",
                );
            }
        });
        let _ = never.recv_timeout(Duration::from_millis(50));
        leave()
    };
    let _ = thread::Builder::new()
        .name("deadline".to_owned())
        .spawn(body);
}

/// Whether the caller had this signal ignored, as `nohup` does. A blocked signal is delivered to
/// `sigwait` all the same.
fn ignored(signal: Signal) -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .is_some_and(|mask| mask >> (signal as i32 - 1) & 1 == 1)
    })
}
