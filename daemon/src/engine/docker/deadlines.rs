//! How long the engine may take for each thing it is asked. No call goes out without one of these.

use std::{future::Future, time::Duration};

use bollard::errors::Error;

use super::errors::refine;
use crate::engine::EngineError;

/// Questions that an idle engine answers in single milliseconds. A loaded engine 20.10 was seen to
/// take 400 ms; ten times that means that it hangs.
pub(super) const ASK: Duration = Duration::from_secs(4);

/// Creating a container writes to the engine's disk and database: 20 ms here, seconds on a busy
/// disk.
pub(super) const CREATE: Duration = Duration::from_secs(15);

/// Hijacking the connection for the streams. The engine only looks the container up.
pub(super) const ATTACH: Duration = Duration::from_secs(5);

/// Starting forks the shim, the runtime and PID 1: 130 ms here with runc, 500 ms with gVisor, more
/// when many start at once.
pub(super) const START: Duration = Duration::from_secs(20);

/// Changing limits runs the runtime once: 19 to 28 ms here. A start takes ten times that, so a slow one is given up.
pub(super) const UPDATE: Duration = Duration::from_secs(4);

/// A kill is a signal to one process; the engine waits up to 10 s by itself to see the end.
pub(super) const KILL: Duration = Duration::from_secs(12);

/// Removing unmounts and deletes a layer; retries of [`super::remove`] stay inside this in all.
pub(super) const REMOVE: Duration = Duration::from_secs(30);

/// Unpacking an image of 200 MB takes 3 s here; a slow disk may need a minute.
pub(super) const IMPORT: Duration = Duration::from_secs(300);

/// Runs one call to the engine with its deadline, and puts its errors into our words.
pub(super) async fn within<T>(
    action: &'static str,
    deadline: Duration,
    address: &str,
    call: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, EngineError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refine(action, deadline, address, &error)),
        Err(_) => Err(EngineError::Deadline { action, deadline }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_never_answers_ends_at_its_deadline() {
        let never = std::future::pending::<Result<(), Error>>();
        let deadline = Duration::from_millis(5);
        let result = within("list images", deadline, "unix:///nowhere", never).await;
        assert!(matches!(
            result,
            Err(EngineError::Deadline {
                action: "list images",
                ..
            })
        ));
    }
}
