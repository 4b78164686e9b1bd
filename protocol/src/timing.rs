//! Where the time of a run went.

use serde::{Deserialize, Serialize};

/// Where the time went, in milliseconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Timing {
    /// Scan and policy.
    pub scan_ms: f64,
    /// From the decision until there was a container: the record of the start, then waiting for a place and a sandbox.
    pub queued_ms: f64,
    /// From there to the hand-over.
    pub start_ms: f64,
    /// From the hand-over to the end report.
    pub run_ms: f64,
    /// All of the daemon's time without a gap, in order, if [`RunRequest::timing`](crate::RunRequest::timing) asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// When the first of the stages began: microseconds of `CLOCK_MONOTONIC` (see `clock_gettime(2)`), which all programs
    /// of a machine share unless they are in different time namespaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_us: Option<u64>,
}

/// A piece of the time between a request's arrival and its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stage {
    /// What was done, as `scan and policy`.
    pub name: String,
    /// How long it took, in milliseconds.
    pub ms: f64,
}

impl Stage {
    /// A stage.
    #[must_use]
    pub fn new(name: impl Into<String>, ms: f64) -> Self {
        Self {
            name: name.into(),
            ms,
        }
    }
}
