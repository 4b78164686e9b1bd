//! Time for what must not follow the wall clock when somebody sets it: rates, and how long records are kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};

/// The wall clock as of the start, moved on by a clock that nobody can set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub(crate) wall: Duration,
    boot: Duration,
}

impl Clock {
    /// Reads both clocks once.
    pub(crate) fn start() -> Self {
        Self {
            wall: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
            boot: since_boot(),
        }
    }

    /// Milliseconds since 1970 by this clock; never goes back, time asleep included.
    pub(crate) fn now(&self) -> u64 {
        let now = self.wall + since_boot().saturating_sub(self.boot);
        u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
    }
}

fn since_boot() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}
