//! A scan whose crash is a finding and not the end of the daemon, in programs that abort on a panic too: it runs on a
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

use saferun_scanner::extract::{FileReport, crashed};

/// Most crashes whose threads may stay parked; beyond, files are not judged any more, and each says so.
const MAX_CRASHES: usize = 64;

static CRASHES: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static REPORT: RefCell<Option<mpsc::SyncSender<String>>> = const { RefCell::new(None) };
}

/// The report of a scan, or of its crash.
pub(super) fn guarded(
    name: &str,
    scan: impl FnOnce() -> FileReport + Send + 'static,
) -> FileReport {
    stop_at_panics();
    if CRASHES.load(Ordering::Relaxed) >= MAX_CRASHES {
        return crashed(name, "it crashed too often: restart the daemon");
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
        return crashed(name, &error.to_string());
    }
    match told.recv() {
        Ok(message) => {
            CRASHES.fetch_add(1, Ordering::Relaxed);
            tracing::error!(file = name, message, "the scanner crashed");
            crashed(name, &message)
        }
        Err(_) => receive
            .recv()
            .unwrap_or_else(|_| crashed(name, "it ended without a report")),
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
    use saferun_scanner::{Level, Options, extract::scan_bytes};

    use super::*;

    #[test]
    fn a_crash_is_a_finding_and_the_next_scan_goes_on() {
        let report = guarded("a.py", || panic!("a bug"));
        assert_eq!(report.risk(), Level::High);
        assert!(report.report.findings[0].message.contains("a bug"));
        let report = guarded("b.py", || {
            scan_bytes("b.py", b"x = 1\n", &Options::default())
        });
        assert!(report.report.findings.is_empty());
    }
}
