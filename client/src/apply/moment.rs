//! Moments at which a test kills the process, to see what is left behind. Nothing of it is in a real build.

/// Passes by one moment.
#[cfg(not(test))]
#[inline]
pub(super) const fn reach() {}

/// Passes by one moment, or dies at it: at that of the number in `SAFERUN_TEST_MOMENT`.
#[cfg(test)]
pub(super) fn reach() {
    use std::sync::atomic::Ordering;

    let number = PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    let last = std::env::var("SAFERUN_TEST_MOMENT").ok();
    if last.and_then(|last| last.parse().ok()) == Some(number) {
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Moments passed so far.
#[cfg(test)]
pub(super) static PASSED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
