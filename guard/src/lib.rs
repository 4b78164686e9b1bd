//! Work whose crash is told and does not end the program, in programs that abort on a panic too: the thread in which it
//! crashes reports the panic and goes no further, so that nothing is torn down around it. For the scanner, which reads
//! hostile text: a bug that one text meets must cost nobody else anything.

mod idle;

use std::{
    cell::RefCell,
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

/// Most crashes of [`on_a_thread`] whose threads may stay parked; beyond, nothing is begun any more.
const MAX_CRASHES: usize = 64;
const TOO_OFTEN: &str = "it crashed too often: restart the program";

static CRASHES: AtomicUsize = AtomicUsize::new(0);

/// Tells of a crash in the thread that it belongs to.
type Report = Box<dyn FnOnce(String)>;

thread_local! {
    static REPORT: RefCell<Option<Report>> = const { RefCell::new(None) };
}

/// Does the work in this thread. If it panics, `report` is given the message; then the thread unwinds where panics do,
/// and else stays where it is for ever: who waits for its result has to wait for the report as well.
pub fn told<T>(report: impl FnOnce(String) + 'static, work: impl FnOnce() -> T) -> T {
    stop_at_panics();
    REPORT.with_borrow_mut(|slot| *slot = Some(Box::new(report)));
    let done = work();
    // Dropped at once: whoever waits for it learns that nothing crashed.
    REPORT.with_borrow_mut(|slot| *slot = None);
    done
}

/// Does the work in a thread of its own and waits for it. Threads stay for a while for the next work, because a new one
/// has to find its memory anew: that costs a scan of a long text some milliseconds.
///
/// # Errors
/// It crashed, with the message; or so many have that no other is begun; or no thread could be started.
pub fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    if CRASHES.load(Ordering::Relaxed) >= MAX_CRASHES {
        return Err(TOO_OFTEN.to_owned());
    }
    let (send, receive) = mpsc::sync_channel(1);
    let (tell, crash) = mpsc::sync_channel(1);
    let report = move |message| {
        // One message fits, and it is the only one.
        let _ = tell.try_send(message);
    };
    idle::run(Box::new(move || {
        let done = told(report, work);
        // Whoever asked waits for it.
        let _ = send.send(done);
    }))?;
    match crash.recv() {
        Ok(message) => {
            CRASHES.fetch_add(1, Ordering::Relaxed);
            Err(message)
        }
        Err(_) => receive
            .recv()
            .map_err(|_| "it ended without a result".to_owned()),
    }
}

/// Has a thread do the work, and does not wait for it. What may crash in it belongs into [`told`]: the thread goes no
/// further then, and who waits for the work learns of it by the report.
///
/// # Errors
/// As of [`on_a_thread`]: so many have crashed that no other is begun, or no thread could be started.
pub fn apart(work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    if CRASHES.load(Ordering::Relaxed) >= MAX_CRASHES {
        return Err(TOO_OFTEN.to_owned());
    }
    idle::run(Box::new(work))
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
            report(info.to_string());
            // Where a panic unwinds it ends this thread. A thread that stays in here holds the hook's lock, and
            // whoever changes the hook, as the test harness does at its end, would wait for ever.
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
    fn a_crash_is_told_and_the_next_work_goes_on() {
        let crash: Result<(), String> = on_a_thread(|| panic!("a bug"));
        assert!(crash.unwrap_err().contains("a bug"));
        assert_eq!(on_a_thread(|| 7), Ok(7));
    }

    #[test]
    fn many_at_once_with_crashes_among_them_are_all_answered() {
        let callers: Vec<_> = (0..32)
            .map(|number| {
                thread::spawn(move || {
                    on_a_thread(move || {
                        assert!(number % 8 != 0, "crash {number}");
                        number
                    })
                })
            })
            .collect();
        for (number, caller) in (0..32).zip(callers) {
            match caller.join().unwrap() {
                Ok(done) => assert_eq!(done, number),
                Err(message) => assert!(number % 8 == 0 && message.contains("crash"), "{message}"),
            }
        }
    }

    #[test]
    fn what_does_not_crash_reports_nothing_and_leaves_no_report_behind() {
        let (send, receive) = mpsc::channel();
        let report = move |message| send.send(message).unwrap();
        assert_eq!(told(report, || 7), 7);
        assert!(receive.recv().is_err(), "the report is gone");
        assert!(REPORT.with_borrow(Option::is_none));
    }
}
