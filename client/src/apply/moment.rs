//! Moments at which a test kills the process, to see what is left behind. Nothing of it is in a real build.

/// Passes by one moment.
#[cfg(not(test))]
#[inline]
pub(super) const fn reach() {}

/// Passes by one moment, or gets a signal at it: at that of the number in `SAFERUN_TEST_MOMENT`, SIGKILL, or SIGINT if
/// `SAFERUN_TEST_SIGNAL` says so.
#[cfg(test)]
pub(super) fn reach() {
    use nix::sys::signal::{Signal, kill};
    use std::sync::atomic::Ordering;

    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    let last = std::env::var("SAFERUN_TEST_MOMENT").ok();
    if last.and_then(|last| last.parse().ok()) != Some(number) {
        return;
    }
    let interrupts = std::env::var_os("SAFERUN_TEST_SIGNAL").is_some_and(|name| name == "INT");
    let signal = if interrupts {
        Signal::SIGINT
    } else {
        Signal::SIGKILL
    };
    let _ = kill(nix::unistd::getpid(), signal);
    // Another thread takes it.
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    for _ in 0..10_000 {
        if crate::run::signals::asked() {
            break;
        }
        let _ = never.recv_timeout(std::time::Duration::from_millis(1));
    }
}

/// Moments passed so far.
#[cfg(test)]
pub(super) static PASSED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
