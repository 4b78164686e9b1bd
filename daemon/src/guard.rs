//! A scan whose crash is told and not the end of the daemon, in programs that abort on a panic too: it runs on a
//! thread of its own, which reports the panic and goes no further.

use std::{
    cell::RefCell,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Most crashes whose threads may stay parked; beyond, files are not judged any more, and each says so.
const MAX_CRASHES: usize = 64;

static CRASHES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static REPORT: RefCell<Option<mpsc::SyncSender<String>>> = const { RefCell::new(None) };
}

/// What a scan of `name` finds. Waits for it; costs a thread, some tens of microseconds.
///
/// # Errors
/// It crashed, and with what message; or so many have that no other is begun.
pub(crate) fn guarded<T: Send + 'static>(
    name: &str,
    scan: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    stop_at_panics();
    if CRASHES.load(Ordering::Relaxed) >= MAX_CRASHES {
        return Err("it crashed too often: restart the daemon".to_owned());
    }
    let (send, receive) = mpsc::sync_channel(1);
    let (tell, told) = mpsc::sync_channel(1);
    let started = thread::Builder::new()
        .name("scan".to_owned())
        .spawn(move || {
            REPORT.with_borrow_mut(|slot| *slot = Some(tell));
            let report = scan();
            // Dropped first: whoever waits learns that nothing crashed.
            REPORT.with_borrow_mut(|slot| *slot = None);
            let _ = send.send(report);
        });
    if let Err(error) = started {
        return Err(error.to_string());
    }
    match told.recv() {
        Ok(message) => {
            CRASHES.fetch_add(1, Ordering::Relaxed);
            tracing::error!(file = name, message, "the scanner crashed");
            Err(message)
        }
        Err(_) => receive
            .recv()
            .map_err(|_| "it ended without a report".to_owned()),
    }
}

fn stop_at_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let Some(report) = REPORT.with_borrow_mut(Option::take) else {
                before(info);
                return;
            };
            let _ = report.try_send(info.to_string());
            // Where a panic unwinds it ends this thread.
            if cfg!(panic = "abort") {
                loop {
                    thread::park();
                }
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_told_and_the_next_scan_goes_on() {
        let crash: Result<(), String> = guarded("a.py", || panic!("a bug"));
        assert!(crash.unwrap_err().contains("a bug"));
        assert_eq!(guarded("b.py", || 7), Ok(7));
    }
}
