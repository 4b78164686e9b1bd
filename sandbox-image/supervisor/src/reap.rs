//! Killing and reaping everything below PID 1.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};

use crate::sys::{Waited, wait_any};

/// How long killed processes may take to end before the report goes out without them.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Pause between looks while killed processes end.
const PAUSE: Duration = Duration::from_millis(1);

/// Whether this process may signal everything: only as PID 1 does that stay inside the container.
pub(crate) fn is_init() -> bool {
    getpid() == Pid::from_raw(1)
}

/// SIGKILL to every process but this one. The kernel does it in one pass that no fork can cross.
pub(crate) fn kill_everything() {
    if is_init() {
        // ESRCH means that there was nothing to kill.
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
    }
}

/// Kills and reaps until no child is left; the number of processes that this ended.
///
/// Processes that had ended before are reaped first and not counted.
pub(crate) fn kill_and_reap(patience: Duration) -> u32 {
    while let Waited::Ended(..) = wait_any() {}
    let deadline = Instant::now() + patience;
    let mut killed = 0;
    loop {
        kill_everything();
        loop {
            match wait_any() {
                Waited::Ended(..) => killed += 1,
                Waited::NoChildren => return killed,
                Waited::NoneEnded => break,
            }
        }
        if Instant::now() >= deadline {
            return killed;
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "one thread, and nothing else to do meanwhile"
)]
fn pause() {
    std::thread::sleep(PAUSE);
}
