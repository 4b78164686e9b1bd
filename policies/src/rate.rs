//! Rates in the policy: how many runs in which window.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many runs in a sliding window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    /// Runs.
    pub count: u32,
    /// Length of the window.
    pub window: Duration,
}

/// The rates of a policy; `None` is "no such limit".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RateLimits {
    /// For each client: the uid with the declared kind.
    pub per_client: Option<Rate>,
    /// For the same code by the same uid.
    pub per_code: Option<Rate>,
    /// Percent of a uid's runs that only a person's client may use, 0 to 90.
    pub reserved_for_people: u8,
}
