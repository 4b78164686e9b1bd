//! Rates in the policy: how many runs in which window. The counters are in `window.rs`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::decision::ClientKind;
use crate::units::show_duration;

/// Most that a rate counts in a window.
pub(crate) const MAX_COUNT: u32 = 1_000_000;
/// Most that a rate of `alerts` counts in a window: each end of a run within it is remembered.
pub const MAX_ALERT_COUNT: u32 = 9_999;

/// Most that `watch.rate` counts in a window: the time of each answer within it is remembered.
pub const MAX_WATCH_COUNT: u32 = 10_000;

/// So many runs in a sliding window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// Runs.
    pub count: u32,
    /// Length of the window.
    pub window: Duration,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, show_duration(self.window))
    }
}

/// The rates of a policy. All rates of a list hold at once; an empty list is "no such limit".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RateLimits {
    /// For each uid, all its clients together, with a share kept for people.
    pub per_client: Vec<Rate>,
    /// For the same code by the same uid.
    pub per_code: Vec<Rate>,
    /// Percent of `per_client` and of `concurrency` that only a person's client may use, 0 to 90.
    pub reserved_for_people: u8,
}

/// Joins lists of rates into the shortest list that says the same: sorted, dominated ones left out.
pub(crate) fn conjoin(one: &[Rate], other: &[Rate]) -> Vec<Rate> {
    let mut all: Vec<Rate> = one.iter().chain(other).copied().collect();
    all.sort_by_key(|rate| (rate.window, rate.count));
    all.dedup();
    let keep: Vec<Rate> = all
        .iter()
        .filter(|rate| {
            !all.iter()
                .any(|by| by != *rate && by.count <= rate.count && by.window >= rate.window)
        })
        .copied()
        .collect();
    keep
}

/// How many of `count` a client of this kind may use: all, or what the share kept for people leaves, at least one.
pub(crate) fn share(count: u32, reserved: u8, client: ClientKind) -> u32 {
    if client.is_person() {
        return count;
    }
    let left = u64::from(count) * u64::from(100 - reserved.min(100)) / 100;
    u32::try_from(left).unwrap_or(count).max(count.min(1))
}
