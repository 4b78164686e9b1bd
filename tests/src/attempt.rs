//! A run that must come to an end, good or bad.

use std::time::Duration;

use saferun_protocol::{ApiClient, RunRequest, RunResult};

use crate::Daemon;

/// No call may take longer, whatever the engine does. The daemon's own deadlines are far below.
pub const ANSWERED: Duration = Duration::from_secs(150);

/// A run of this that no policy stops.
#[must_use]
pub fn permissive(source: &str) -> RunRequest {
    let mut request = RunRequest::new(source);
    request.policy = Some("permissive".to_owned());
    request
}

/// What becomes of a run of this.
///
/// # Errors
/// What the daemon says instead of a result.
///
/// # Panics
/// If it says nothing in time.
pub fn attempt(daemon: &Daemon, source: &str) -> Result<RunResult, String> {
    ask(daemon, permissive(source))
}

/// What becomes of this run.
///
/// # Errors
/// What the daemon says instead of a result.
///
/// # Panics
/// If it says nothing in time.
pub fn ask(daemon: &Daemon, request: RunRequest) -> Result<RunResult, String> {
    let client = daemon.connect();
    let answer =
        daemon.block_on(async { tokio::time::timeout(ANSWERED, client.run(request)).await });
    answer
        .expect("the run is answered within its deadlines")
        .map_err(|error| error.to_string())
}
